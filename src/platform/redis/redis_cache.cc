#include "platform/redis/redis_cache.h"

namespace tipflow::redis {
namespace {

std::string keyOf(const std::string& key) { return "tipflow:cache:" + key; }

// Redis counts lives in milliseconds; one that is over before it begins is none.
std::int64_t milliseconds(Duration lifetime) { return lifetime.count() / kUsPerMs; }

// Sets the key's new lifetime behind other commands; Redis takes one of 0 or less for its end.
Command expire(const std::string& key, Duration lifetime) {
  return {"PEXPIRE", key, std::to_string(milliseconds(lifetime))};
}

}  // namespace

drogon::Task<std::optional<std::string>> RedisCache::get(std::string key) {
  std::vector<Command> commands{{"GET", keyOf(key)}};
  auto replies = co_await client_.run(std::move(commands));
  if (replies.empty() || replies.front().kind != Reply::Kind::text) {
    counters_.miss();
    co_return std::nullopt;
  }
  counters_.hit();
  co_return std::move(replies.front().text);
}

drogon::Task<> RedisCache::set(std::string key, std::string value, Duration lifetime) {
  const auto ms = milliseconds(lifetime);
  std::vector<Command> commands;
  if (ms > 0) {
    commands.push_back({"SET", keyOf(key), std::move(value), "PX", std::to_string(ms)});
  } else {
    commands.push_back({"DEL", keyOf(key)});
  }
  co_await client_.run(std::move(commands));
}

drogon::Task<bool> RedisCache::setIfAbsent(std::string key, std::string value, Duration lifetime) {
  const auto ms = std::max<std::int64_t>(milliseconds(lifetime), 1);
  std::vector<Command> commands{
      {"SET", keyOf(key), std::move(value), "NX", "PX", std::to_string(ms)}};
  const auto replies = co_await client_.run(std::move(commands));
  // It is known to be somebody else's only when Redis says so.
  co_return replies.empty() || replies.front().kind != Reply::Kind::nil;
}

drogon::Task<> RedisCache::remove(std::string key) {
  std::vector<Command> commands{{"DEL", keyOf(key)}};
  co_await client_.run(std::move(commands));
}

drogon::Task<> RedisCache::setField(std::string key, std::string field, std::string value,
                                    Duration lifetime) {
  const auto place = keyOf(key);
  std::vector<Command> commands{{"HSET", place, std::move(field), std::move(value)},
                                expire(place, lifetime)};
  co_await client_.run(std::move(commands));
}

drogon::Task<std::map<std::string, std::string>> RedisCache::fields(std::string key) {
  std::vector<Command> commands{{"HGETALL", keyOf(key)}};
  auto replies = co_await client_.run(std::move(commands));
  std::map<std::string, std::string> found;
  if (!replies.empty()) {
    auto& list = replies.front().list;
    for (std::size_t i = 0; i + 1 < list.size(); i += 2) {
      found.emplace(std::move(list[i].text), std::move(list[i + 1].text));
    }
  }
  if (found.empty()) {
    counters_.miss();
  } else {
    counters_.hit();
  }
  co_return found;
}

drogon::Task<> RedisCache::addTo(std::string key, std::map<std::string, std::int64_t> amounts,
                                 Duration lifetime) {
  if (amounts.empty()) co_return;
  const auto place = keyOf(key);
  std::vector<Command> commands;
  commands.reserve(amounts.size() + 1);
  for (const auto& [field, amount] : amounts) {
    commands.push_back({"HINCRBY", place, field, std::to_string(amount)});
  }
  commands.push_back(expire(place, lifetime));
  co_await client_.run(std::move(commands));
}

}  // namespace tipflow::redis
