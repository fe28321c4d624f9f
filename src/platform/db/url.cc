#include <fmt/format.h>

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

}  // namespace

Url Url::parse(std::string_view text) {
  Url url;
  if (text.starts_with("sqlite:")) {
    url.dialect = Dialect::sqlite;
    url.file = text.substr(7);
    if (url.file.starts_with("//")) url.file.erase(0, 2);
    if (url.file.empty()) throw std::invalid_argument("sqlite: needs a file name behind it");
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
  url.database = percentDecoded(text.substr(slash + 1));
  auto authority = text.substr(0, slash);
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    const auto account = authority.substr(0, at);
    const auto colon = account.find(':');
    url.user = percentDecoded(account.substr(0, colon));
    if (colon != std::string_view::npos) url.password = percentDecoded(account.substr(colon + 1));
    authority = authority.substr(at + 1);
  }
  if (const auto colon = authority.rfind(':'); colon != std::string_view::npos) {
    const auto digits = authority.substr(colon + 1);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), url.port);
    if (error != std::errc{} || end != digits.data() + digits.size() || url.port < 1 ||
        url.port > 65535) {
      throw std::invalid_argument("has a port that is not a number from 1 to 65535");
    }
    authority = authority.substr(0, colon);
  }
  url.host = authority;
  if (url.host.empty()) throw std::invalid_argument("names no host");
  return url;
}

std::string Url::shown() const {
  if (dialect == Dialect::sqlite) return "sqlite:" + file;
  return fmt::format("mysql://{}@{}:{}/{}", user, host, port, database);
}

std::unique_ptr<Connection> connect(const Url& url, Duration answerTimeout) {
  return url.dialect == Dialect::mysql ? connectMysql(url, answerTimeout) : connectSqlite(url);
}

}  // namespace tipflow::db
