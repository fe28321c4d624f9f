#include "platform/redis/url.h"

#include <fmt/format.h>

#include <charconv>
#include <stdexcept>

#include "platform/url.h"

namespace tipflow::redis {
namespace {

constexpr std::string_view kScheme = "redis://";
constexpr int kLastDatabase = 1'000'000;

int databaseOf(std::string_view digits) {
  int database = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), database);
  if (error != std::errc{} || end != digits.data() + digits.size() || database < 0 ||
      database > kLastDatabase) {
    throw std::invalid_argument("names a database that is not a number, as in redis://host:6379/2");
  }
  return database;
}

}  // namespace

Url Url::parse(std::string_view text) {
  Url url;
  if (!text.starts_with(kScheme)) {
    throw std::invalid_argument("must be redis://[user:password@]host:port[/database]");
  }
  text.remove_prefix(kScheme.size());
  // A password may hold what divides the rest.
  if (const auto at = text.rfind('@'); at != std::string_view::npos) {
    const auto account = text.substr(0, at);
    const auto colon = account.find(':');
    if (colon == std::string_view::npos) {
      throw std::invalid_argument("has no password: a password alone is written :password@host");
    }
    url.user = url::decoded(account.substr(0, colon));
    url.password = url::decoded(account.substr(colon + 1));
    text = text.substr(at + 1);
  }
  if (text.find('?') != std::string_view::npos) {
    throw std::invalid_argument("takes no options behind a '?'");
  }
  const auto slash = text.find('/');
  if (slash != std::string_view::npos && slash + 1 < text.size()) {
    url.database = databaseOf(text.substr(slash + 1));
  }
  auto authority = text.substr(0, slash);
  url.port = url::takePort(authority, url.port);
  url.host = url::hostOf(authority);
  for (const auto* part : {&url.user, &url.password}) url::refuseNul(*part);
  return url;
}

std::string Url::shown() const {
  const bool isV6 = host.find(':') != std::string::npos;
  return fmt::format("redis://{}{}{}{}:{}/{}", user.empty() ? "" : user + "@", isV6 ? "[" : "",
                     host, isV6 ? "]" : "", port, database);
}

}  // namespace tipflow::redis
