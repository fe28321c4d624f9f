// Nonces between two nodes over a real Redis: a request is taken once, whatever becomes of Redis.
#include "platform/redis/redis_nonces.h"

#include <gtest/gtest.h>

#include "store/database.h"
#include "store/redis.h"

namespace tipflow::redis {
namespace {

using fixture::eventually;
using Taken = Nonces::Taken;

constexpr Limits kLimits{.answer = Duration{200 * kUsPerMs},
                         .shortestPause = Duration{10 * kUsPerMs},
                         .longestPause = Duration{50 * kUsPerMs}};
constexpr Duration kLifetime{601 * kUsPerSecond};
constexpr Duration kSecond{kUsPerSecond};
constexpr Time kStart{1'770'000'000'000'000};

/// The nodes' common clock, moved by the test while their threads look at it.
class SharedClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override { return Time{us_.load()}; }
  void advance(Duration by) { us_ += by.count(); }

 private:
  std::atomic<std::int64_t> us_{kStart.us};
};

struct Node {
  Node(const Url& url, const Clock& clock)
      : client(url, metrics, kLimits),
        own(clock, kLifetime, 1'000),
        nonces(client, own, clock, kLifetime) {
    client.start();
  }
  ~Node() { client.stop(); }
  Taken take(const std::string& nonce, Time sent, bool repeatable = false) {
    return drogon::sync_wait(nonces.take({nonce, sent, repeatable}));
  }

  Metrics metrics;
  Client client;
  LocalNonces own;
  RedisNonces nonces;
};

struct NoncesOfNodes : testing::Test {
  SharedClock clock;
  fixture::RedisServer server;
  Node a{server.url(), clock};
  Node b{server.url(), clock};
  int probes = 0;

  void SetUp() override { settle(); }
  // Until both nodes know the store; then past the time after a loss in which nobody is let
  // through.
  void settle() {
    clock.advance(kSecond * 3);
    for (auto* node : {&a, &b}) {
      ASSERT_TRUE(eventually([&] {
        const auto taken = node->take("probe-" + std::to_string(++probes), clock.now());
        if (taken == Taken::away) clock.advance(kSecond * 3);
        return taken == Taken::fresh;
      }));
    }
  }
};

TEST_F(NoncesOfNodes, a_nonce_is_good_once_at_whichever_node) {
  EXPECT_EQ(a.take("x", clock.now()), Taken::fresh);
  EXPECT_EQ(a.take("x", clock.now()), Taken::used);
  EXPECT_EQ(b.take("x", clock.now()), Taken::used);
  EXPECT_EQ(b.take("y", clock.now()), Taken::fresh);
}

TEST_F(NoncesOfNodes, of_many_at_once_at_two_nodes_one_is_taken) {
  for (int round = 0; round < 50; ++round) {
    std::atomic<int> fresh = 0;
    fixture::atOnce(8, [&](int i) {
      auto& node = i % 2 == 0 ? a : b;
      if (node.take("round-" + std::to_string(round), clock.now()) == Taken::fresh) ++fresh;
    });
    ASSERT_EQ(fresh, 1) << round;
  }
}

TEST_F(NoncesOfNodes, after_redis_came_back_empty_what_was_sent_before_is_stale) {
  const Time before = clock.now();
  ASSERT_EQ(a.take("x", before), Taken::fresh);
  clock.advance(kSecond);
  server.kill();
  server.start();
  settle();
  EXPECT_NE(b.take("x", before), Taken::fresh);
  EXPECT_EQ(b.take("never used", before), Taken::stale) << "nobody knows that it was not used";
  EXPECT_EQ(b.take("x at a later time", clock.now()), Taken::fresh);
}

TEST_F(NoncesOfNodes, what_was_stamped_ahead_is_put_back_by_the_node_that_took_it) {
  const Time ahead = clock.now() + kSecond * 200;
  ASSERT_EQ(a.take("x", ahead), Taken::fresh);
  server.kill();
  server.start();
  settle();
  EXPECT_EQ(b.take("x", ahead), Taken::used);
  EXPECT_EQ(b.take("another", ahead), Taken::fresh);
}

TEST_F(NoncesOfNodes, emptied_under_open_connections_it_is_noticed_too) {
  const Time before = clock.now();
  const Time ahead = before + kSecond * 200;
  ASSERT_EQ(a.take("x", before), Taken::fresh);
  ASSERT_EQ(a.take("z", ahead), Taken::fresh);
  clock.advance(kSecond);
  Connection admin(server.url(), kLimits.connect);
  admin.run({{"FLUSHALL"}}, kLimits.answer);
  EXPECT_NE(b.take("x", before), Taken::fresh);
  EXPECT_NE(b.take("z", ahead), Taken::fresh);
  settle();
  EXPECT_EQ(b.take("x", before), Taken::used) << "A has put it back";
  EXPECT_EQ(b.take("z", ahead), Taken::used);
  EXPECT_EQ(b.take("y", before), Taken::stale);
}

TEST_F(NoncesOfNodes, restarted_with_an_older_state_it_counts_as_lost) {
  fixture::RedisServer saving({"--dbfilename", "dump.rdb"});
  Node first(saving.url(), clock);
  ASSERT_TRUE(eventually([&] {
    clock.advance(kSecond * 3);
    return first.take("probe-" + std::to_string(++probes), clock.now()) == Taken::fresh;
  }));
  Connection admin(saving.url(), kLimits.connect);
  admin.run({{"SAVE"}}, kLimits.connect);
  const Time before = clock.now();
  ASSERT_EQ(first.take("after the snapshot", before), Taken::fresh);
  first.client.stop();  // the only node that knows of it dies as well
  saving.kill();
  clock.advance(kSecond);
  saving.start();
  Node second(saving.url(), clock);
  ASSERT_TRUE(eventually([&] {
    clock.advance(kSecond * 3);
    return second.take("probe-" + std::to_string(++probes), clock.now()) == Taken::fresh;
  }));
  EXPECT_EQ(second.take("after the snapshot", before), Taken::stale);
}

TEST_F(NoncesOfNodes, with_redis_away_only_what_bears_a_replay_goes_on) {
  ASSERT_EQ(a.take("x", clock.now()), Taken::fresh);
  server.kill();
  EXPECT_EQ(a.take("administration", clock.now()), Taken::away);
  EXPECT_EQ(a.take("withdrawal", clock.now(), true), Taken::fresh);
  EXPECT_EQ(a.take("withdrawal", clock.now(), true), Taken::used) << "here at least it is known";
  EXPECT_EQ(a.take("x", clock.now(), true), Taken::used);
  server.start();
  settle();
  EXPECT_EQ(b.take("withdrawal", clock.now()), Taken::used) << "and put back";
  EXPECT_EQ(a.take("administration", clock.now()), Taken::fresh);
}

TEST_F(NoncesOfNodes, a_full_redis_refuses_and_forgets_none) {
  Connection admin(server.url(), kLimits.connect);
  admin.run(
      {{"CONFIG", "SET", "maxmemory-policy", "noeviction"}, {"CONFIG", "SET", "maxmemory", "1"}},
      kLimits.answer);
  EXPECT_EQ(a.take("x", clock.now()), Taken::full);
  admin.run({{"CONFIG", "SET", "maxmemory", "0"}}, kLimits.answer);
  EXPECT_EQ(a.take("x", clock.now()), Taken::fresh);
}

}  // namespace
}  // namespace tipflow::redis
