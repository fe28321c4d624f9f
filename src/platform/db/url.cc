#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "platform/db/connection.h"

namespace tipflow::db {
namespace {

std::string percentDecoded(std::string_view text) {
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

// The drivers take C strings: what stands behind a NUL would be lost without a word.
void refuseNul(const std::string& part) {
  if (part.find('\0') != std::string::npos) throw std::invalid_argument("must not hold a NUL");
}

// Takes `:3307` off the end of `authority`, when it is there.
int takePort(std::string_view& authority) {
  const auto colon = authority.rfind(':');
  const auto bracket = authority.rfind(']');
  if (colon == std::string_view::npos || (bracket != std::string_view::npos && bracket > colon)) {
    return Url{}.port;
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

// A name, an IPv4 address, or an IPv6 address in brackets, which are taken off.
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

}  // namespace

Url Url::parse(std::string_view text) {
  Url url;
  if (text.starts_with("sqlite:")) {
    url.dialect = Dialect::sqlite;
    url.file = text.substr(7);
    if (url.file.starts_with("//")) url.file.erase(0, 2);
    if (url.file.empty()) throw std::invalid_argument("sqlite: needs a file name behind it");
    refuseNul(url.file);
    return url;
  }
  if (!text.starts_with("mysql://")) {
    throw std::invalid_argument(
        "must be sqlite:<file> or mysql://user:password@host:port/database");
  }
  url.dialect = Dialect::mysql;
  text.remove_prefix(8);
  const auto slash = text.rfind('/');
  if (slash == std::string_view::npos || slash + 1 == text.size()) {
    throw std::invalid_argument("names no database: mysql://user:password@host:port/database");
  }
  const auto database = text.substr(slash + 1);
  auto authority = text.substr(0, slash);
  const auto at = authority.rfind('@');
  // A path in an option puts the last slash behind the question mark.
  if (database.find('?') != std::string_view::npos ||
      (at == std::string_view::npos ? authority : authority.substr(at)).find('?') !=
          std::string_view::npos) {
    throw std::invalid_argument("takes no options behind a '?'; in a name it is written %3F");
  }
  url.database = percentDecoded(database);
  if (at != std::string_view::npos) {
    const auto account = authority.substr(0, at);
    const auto colon = account.find(':');
    url.user = percentDecoded(account.substr(0, colon));
    if (colon != std::string_view::npos) url.password = percentDecoded(account.substr(colon + 1));
    authority = authority.substr(at + 1);
  }
  url.port = takePort(authority);
  url.host = hostOf(authority);
  for (const auto* part : {&url.user, &url.password, &url.database}) refuseNul(*part);
  return url;
}

std::string Url::shown() const {
  if (dialect == Dialect::sqlite) return "sqlite:" + file;
  const bool isV6 = host.find(':') != std::string::npos;
  return fmt::format("mysql://{}@{}{}{}:{}/{}", user, isV6 ? "[" : "", host, isV6 ? "]" : "", port,
                     database);
}

std::unique_ptr<Connection> connect(const Url& url, Duration answerTimeout) {
  return url.dialect == Dialect::mysql ? connectMysql(url, answerTimeout) : connectSqlite(url);
}

}  // namespace tipflow::db
