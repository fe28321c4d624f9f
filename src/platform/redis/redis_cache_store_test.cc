// The cache and the lock, each in the process and in a real Redis: users must not see which.
#include "platform/redis/redis_cache.h"

#include <gtest/gtest.h>

#include <limits>

#include "platform/redis/redis_lock.h"
#include "store/database.h"
#include "store/redis.h"

namespace tipflow::redis {
namespace {

using drogon::sync_wait;
using fixture::eventually;
using Fields = std::map<std::string, std::string>;

constexpr Duration kLong{60 * kUsPerSecond};
constexpr Duration kShort{50 * kUsPerMs};

enum class Where { process, redis };

struct World {
  explicit World(Where where) {
    if (where == Where::process) return;
    server.emplace();
    client.emplace(server->url(), metrics);
    client->start();
    if (!client->waitUntilUp(kLong)) throw std::runtime_error("Redis does not answer");
    remote.emplace(*client);
    remoteLock.emplace(*client);
  }
  Cache& cache() { return remote ? static_cast<Cache&>(*remote) : local; }
  Lock& lock() { return remoteLock ? static_cast<Lock&>(*remoteLock) : localLock; }

  SystemClock clock;
  Metrics metrics;
  LocalCache local{clock, 1'000};
  LocalLock localLock{clock};
  std::optional<fixture::RedisServer> server;
  std::optional<Client> client;
  std::optional<RedisCache> remote;
  std::optional<RedisLock> remoteLock;
};

struct SharedCache : testing::TestWithParam<Where> {
  World world{GetParam()};
  Cache& cache = world.cache();
  Lock& lock = world.lock();
};
INSTANTIATE_TEST_SUITE_P(, SharedCache, testing::Values(Where::process, Where::redis),
                         [](const auto& info) {
                           return info.param == Where::process ? "Process" : "Redis";
                         });

TEST_P(SharedCache, gives_back_what_was_set_until_it_is_removed) {
  EXPECT_EQ(sync_wait(cache.get("a")), std::nullopt);
  sync_wait(cache.set("a", std::string("1\0\n2", 4), kLong));
  EXPECT_EQ(sync_wait(cache.get("a")), std::string("1\0\n2", 4));
  sync_wait(cache.set("a", "", kLong));
  EXPECT_EQ(sync_wait(cache.get("a")), "") << "empty is not missing";
  sync_wait(cache.remove("a"));
  EXPECT_EQ(sync_wait(cache.get("a")), std::nullopt);
}

TEST_P(SharedCache, what_has_had_its_time_is_gone) {
  sync_wait(cache.set("a", "1", kShort));
  sync_wait(cache.set("b", "1", kLong));
  sync_wait(cache.setField("hash", "f", "1", kLong));
  sync_wait(cache.setField("hash", "g", "1", kShort));
  EXPECT_TRUE(eventually([&] { return !sync_wait(cache.get("a")); }));
  EXPECT_TRUE(eventually([&] { return sync_wait(cache.fields("hash")).empty(); }));
  EXPECT_EQ(sync_wait(cache.get("b")), "1");
  sync_wait(cache.set("b", "2", Duration{0}));
  EXPECT_EQ(sync_wait(cache.get("b")), std::nullopt);
}

TEST_P(SharedCache, a_key_is_taken_by_the_first) {
  EXPECT_TRUE(sync_wait(cache.setIfAbsent("a", "1", kLong)));
  EXPECT_FALSE(sync_wait(cache.setIfAbsent("a", "2", kLong)));
  EXPECT_EQ(sync_wait(cache.get("a")), "1");
  std::atomic<int> taken = 0;
  fixture::atOnce(8, [&](int) { taken += sync_wait(cache.setIfAbsent("b", "1", kLong)) ? 1 : 0; });
  EXPECT_EQ(taken, 1);
}

TEST_P(SharedCache, adds_up_what_many_give_at_once) {
  fixture::atOnce(8, [&](int) {
    for (int i = 0; i < 50; ++i) sync_wait(cache.addTo("board", {{"7", 3}, {"8", -1}}, kLong));
  });
  EXPECT_EQ(sync_wait(cache.fields("board")), (Fields{{"7", "1200"}, {"8", "-400"}}));
  sync_wait(cache.setField("board", "name", "none", kLong));
  sync_wait(cache.addTo(
      "board", {{"7", std::numeric_limits<std::int64_t>::max()}, {"name", 1}, {"9", 1}}, kLong));
  EXPECT_EQ(sync_wait(cache.fields("board")),
            (Fields{{"7", "1200"}, {"8", "-400"}, {"9", "1"}, {"name", "none"}}));
}

TEST_P(SharedCache, a_text_is_no_hash_and_a_hash_no_text) {
  sync_wait(cache.set("text", "1", kLong));
  sync_wait(cache.setField("text", "f", "1", kLong));
  EXPECT_EQ(sync_wait(cache.fields("text")), Fields{});
  EXPECT_EQ(sync_wait(cache.get("text")), "1");
  sync_wait(cache.setField("hash", "f", "1", kLong));
  EXPECT_EQ(sync_wait(cache.get("hash")), std::nullopt);
  EXPECT_FALSE(sync_wait(cache.setIfAbsent("hash", "1", kLong)));
}

TEST_P(SharedCache, a_lock_is_held_renewed_and_released_by_its_owner_alone) {
  EXPECT_TRUE(sync_wait(lock.acquire("round", "a", kLong)));
  EXPECT_TRUE(sync_wait(lock.acquire("round", "a", kLong)));
  EXPECT_FALSE(sync_wait(lock.acquire("round", "b", kLong)));
  EXPECT_TRUE(sync_wait(lock.acquire("cube", "b", kLong)));
  sync_wait(lock.release("round", "b"));
  EXPECT_FALSE(sync_wait(lock.acquire("round", "b", kLong)));
  sync_wait(lock.release("round", "a"));
  EXPECT_TRUE(sync_wait(lock.acquire("round", "b", kLong)));
}

TEST_P(SharedCache, a_lock_whose_owner_is_gone_passes_on) {
  EXPECT_TRUE(sync_wait(lock.acquire("round", "a", kShort)));
  EXPECT_TRUE(eventually([&] { return sync_wait(lock.acquire("round", "b", kLong)); }));
  EXPECT_FALSE(sync_wait(lock.acquire("round", "a", kLong)));
}

TEST(RedisAway, is_a_miss_for_the_cache_and_no_hindrance_for_the_lock) {
  World world(Where::redis);
  auto& cache = world.cache();
  sync_wait(cache.set("a", "1", kLong));
  ASSERT_TRUE(sync_wait(world.lock().acquire("round", "a", kLong)));
  world.server->kill();
  EXPECT_EQ(sync_wait(cache.get("a")), std::nullopt);
  EXPECT_TRUE(sync_wait(cache.setIfAbsent("a", "2", kLong)));
  EXPECT_EQ(sync_wait(cache.fields("a")), Fields{});
  EXPECT_NO_THROW({
    sync_wait(cache.set("a", "1", kLong));
    sync_wait(cache.setField("h", "f", "1", kLong));
    sync_wait(cache.addTo("h", {{"f", 1}}, kLong));
    sync_wait(cache.remove("a"));
    sync_wait(world.lock().release("round", "a"));
  });
  EXPECT_TRUE(sync_wait(world.lock().acquire("round", "b", kLong)));
}

}  // namespace
}  // namespace tipflow::redis
