#include <fmt/format.h>

#include <stdexcept>

#include "base/text.h"
#include "platform/db/connection.h"
#include "platform/url.h"

namespace tipflow::db {

Url Url::parse(std::string_view text) {
  Url url;
  if (text.starts_with("sqlite:")) {
    url.dialect = Dialect::sqlite;
    url.file = text.substr(7);
    if (url.file.starts_with("//")) url.file.erase(0, 2);
    if (url.file.empty()) throw std::invalid_argument("sqlite: needs a file name behind it");
    url::refuseNul(url.file);
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
  url.database = url::decoded(database);
  if (at != std::string_view::npos) {
    const auto account = authority.substr(0, at);
    const auto colon = account.find(':');
    url.user = url::decoded(account.substr(0, colon));
    if (colon != std::string_view::npos) url.password = url::decoded(account.substr(colon + 1));
    authority = authority.substr(at + 1);
  }
  url.port = url::takePort(authority, url.port);
  url.host = url::hostOf(authority);
  for (const auto* part : {&url.user, &url.password, &url.database}) url::refuseNul(*part);
  return url;
}

std::string Url::shown() const {
  if (dialect == Dialect::sqlite) return "sqlite:" + file;
  const bool isV6 = host.find(':') != std::string::npos;
  return fmt::format("mysql://{}@{}{}{}:{}/{}", user, isV6 ? "[" : "", host, isV6 ? "]" : "", port,
                     database);
}

std::vector<Url> replicaUrls(std::string_view text) {
  std::vector<Url> urls;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    auto url = Url::parse(trimmed(text.substr(0, comma)));
    if (url.dialect != Dialect::mysql) throw std::invalid_argument("only a server has replicas");
    urls.push_back(std::move(url));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return urls;
}

std::unique_ptr<Connection> connect(const Url& url, Duration answerTimeout) {
  return url.dialect == Dialect::mysql ? connectMysql(url, answerTimeout) : connectSqlite(url);
}

}  // namespace tipflow::db
