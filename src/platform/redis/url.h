// Where Redis is, as the setting redis.url says it.
#pragma once

#include <string>
#include <string_view>

namespace tipflow::redis {

struct Url {
  std::string host;
  int port = 6379;
  std::string user;
  std::string password;
  int database = 0;

  /// redis://[user:password@]host:port[/database]; a password alone stands behind a colon. Throws
  /// std::invalid_argument.
  static Url parse(std::string_view text);
  /// For people: without the password.
  [[nodiscard]] std::string shown() const;
};

}  // namespace tipflow::redis
