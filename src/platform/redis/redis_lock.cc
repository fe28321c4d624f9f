#include "platform/redis/redis_lock.h"

#include <algorithm>

namespace tipflow::redis {
namespace {

constexpr const char* kAcquire =
    "if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end "
    "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end "
    "redis.call('PEXPIRE', KEYS[1], ARGV[2]) return 1";
constexpr const char* kRelease =
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

std::string keyOf(const std::string& name) { return "tipflow:lock:" + name; }

}  // namespace

drogon::Task<bool> RedisLock::acquire(std::string name, std::string owner, Duration lifetime) {
  const auto ms = std::max<std::int64_t>(lifetime.count() / kUsPerMs, 1);
  std::vector<Command> commands{
      {"EVAL", kAcquire, "1", keyOf(name), std::move(owner), std::to_string(ms)}};
  const auto replies = co_await client_.run(std::move(commands));
  co_return replies.empty() || replies.front().isError() || replies.front().integer == 1;
}

drogon::Task<> RedisLock::release(std::string name, std::string owner) {
  std::vector<Command> commands{{"EVAL", kRelease, "1", keyOf(name), std::move(owner)}};
  co_await client_.run(std::move(commands));
}

}  // namespace tipflow::redis
