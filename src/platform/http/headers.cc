#include "platform/http/headers.h"

#include <algorithm>

#include "platform/embedded.h"
#include "platform/security/crypto.h"

namespace tipflow::http {
namespace {

/// `'sha256-…'` of what stands between the first `<tag>` and its end.
std::string hashSource(std::string_view html, std::string_view tag) {
  const auto opening = "<" + std::string(tag) + ">";
  const auto begin = html.find(opening);
  if (begin == std::string_view::npos) return "'none'";
  const auto content = begin + opening.size();
  const auto end = html.find("</" + std::string(tag) + ">", content);
  auto hash = crypto::toBase64Url(crypto::sha256(html.substr(content, end - content)));
  std::replace(hash.begin(), hash.end(), '-', '+');
  std::replace(hash.begin(), hash.end(), '_', '/');
  return "'sha256-" + hash + "='";
}

}  // namespace

std::optional<std::string_view> bearerToken(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  const auto scheme = authorization.substr(0, kScheme.size());
  const auto same = [](char sent, char wanted) {
    return (sent >= 'A' && sent <= 'Z' ? static_cast<char>(sent - 'A' + 'a') : sent) == wanted;
  };
  if (!std::equal(scheme.begin(), scheme.end(), kScheme.begin(), kScheme.end(), same)) {
    return std::nullopt;
  }
  return authorization.substr(kScheme.size());
}

std::string pagePolicy(std::string_view html) {
  return "default-src 'none'; script-src " + hashSource(html, "script") + "; style-src " +
         hashSource(html, "style") +
         "; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
         "frame-ancestors 'none'";
}

std::string securityLines(const std::string& contentPolicy) {
  return "nosniff\r\n"
         "x-frame-options: DENY\r\n"
         "referrer-policy: no-referrer\r\n"
         "cache-control: no-store\r\n"
         "content-security-policy: " +
         contentPolicy;
}

// Drogon writes a value as it is: one entry of five lines costs a fifth of five entries.
void addSecurityHeaders(drogon::HttpResponse& response, std::string_view path) {
  static const std::string kAnswer = securityLines("default-src 'none'; frame-ancestors 'none'");
  static const std::string kDocs = securityLines(pagePolicy(embeddedFiles().at("api/docs.html")));
  response.addHeader("x-content-type-options", path == "/docs" ? kDocs : kAnswer);
}

}  // namespace tipflow::http
