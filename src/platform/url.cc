#include "platform/url.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace tipflow::url {

std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16).ptr ==
            text.data() + i + 3) {
      out += static_cast<char>(value);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

void refuseNul(const std::string& part) {
  if (part.find('\0') != std::string::npos) throw std::invalid_argument("must not hold a NUL");
}

int takePort(std::string_view& authority, int otherwise) {
  const auto colon = authority.rfind(':');
  const auto bracket = authority.rfind(']');
  if (colon == std::string_view::npos || (bracket != std::string_view::npos && bracket > colon)) {
    return otherwise;
  }
  const auto digits = authority.substr(colon + 1);
  int port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc{} || end != digits.data() + digits.size() || port < 1 || port > 65535) {
    throw std::invalid_argument("has a port that is not a number from 1 to 65535");
  }
  authority = authority.substr(0, colon);
  return port;
}

std::string hostOf(std::string_view authority) {
  constexpr std::string_view kLetters =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-._";
  constexpr std::string_view kOfIpv6 = "0123456789abcdefABCDEF:.";
  if (authority.empty()) throw std::invalid_argument("names no host");
  const bool bracketed = authority.starts_with('[') && authority.ends_with(']');
  if (bracketed) authority = authority.substr(1, authority.size() - 2);
  // An address may be followed by its zone: fe80::1%eth0.
  const auto zone = bracketed ? std::min(authority.find('%'), authority.size()) : authority.size();
  const auto address = authority.substr(0, zone);
  if (address.empty() ||
      address.find_first_not_of(bracketed ? kOfIpv6 : kLetters) != std::string_view::npos ||
      (bracketed && address.find(':') == std::string_view::npos) ||
      authority.substr(zone).find_first_not_of(kLetters, 1) != std::string_view::npos) {
    throw std::invalid_argument(
        "has a host that is neither a name nor an address; IPv6 stands in brackets, as in [::1]");
  }
  return std::string(authority);
}

}  // namespace tipflow::url
