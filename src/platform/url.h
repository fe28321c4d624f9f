// Parts of URLs as settings hold them: what the addresses of databases and of Redis have in common.
#pragma once

#include <string>
#include <string_view>

namespace tipflow::url {

/// With `%2F` and the like replaced by what they stand for.
std::string decoded(std::string_view text);
/// Throws std::invalid_argument: drivers take C strings, and what stands behind a NUL would be lost
/// without a word.
void refuseNul(const std::string& part);
/// Takes `:3307` off the end of `authority`, when it is there. Throws std::invalid_argument.
int takePort(std::string_view& authority, int otherwise);
/// A name, an IPv4 address, or an IPv6 address in brackets, which are taken off. Throws
/// std::invalid_argument.
std::string hostOf(std::string_view authority);

}  // namespace tipflow::url
