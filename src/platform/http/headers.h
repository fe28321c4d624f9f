// Headers of requests and answers: the token that was sent, and what every answer tells a browser:
// to guess no type, show it in no frame, tell nobody where it came from, load nothing for it, and
// keep no copy. No header opens an answer to pages of other origins.
#pragma once

#include <drogon/HttpResponse.h>

#include <optional>
#include <string>
#include <string_view>

namespace tipflow::http {

/// The token of an `Authorization` header; the name of the scheme in any case. nullopt: another
/// scheme, or none.
std::optional<std::string_view> bearerToken(std::string_view authorization);

/// `path`: of the request, as decoded.
void addSecurityHeaders(drogon::HttpResponse& response, std::string_view path);

/// The value of X-Content-Type-Options, and behind it the lines of the other headers.
std::string securityLines(const std::string& contentPolicy);

/// The policy of a page that carries its own scripts and styles: exactly these, by their hashes.
std::string pagePolicy(std::string_view html);

}  // namespace tipflow::http
