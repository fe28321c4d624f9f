// Logged-out tokens between two nodes over a real Redis: what one knows the other learns, also when
// messages were missed and when Redis came back empty.
#include "platform/redis/revocation_exchange.h"

#include <gtest/gtest.h>

#include "platform/redis/redis_bus.h"
#include "store/database.h"
#include "store/redis.h"

namespace tipflow::redis {
namespace {

using fixture::eventually;

constexpr Limits kLimits{.shortestPause = Duration{10 * kUsPerMs},
                         .longestPause = Duration{50 * kUsPerMs}};
constexpr Time kNow{1'770'000'000'000'000};

struct Node {
  /// `hears`: whether the bus reaches it.
  Node(const Url& url, char name, const Clock& clock, bool hears)
      : client(url, metrics, kLimits),
        bus(client, std::string(32, name), metrics, kLimits),
        revocations(clock, bus),
        exchange(client, bus, revocations, clock) {
    bus.onGap({topic::kTokenRevoked}, [this] { listening = true; });
    client.start();
    if (hears) bus.start();
  }
  ~Node() {
    bus.stop();
    client.stop();
  }
  void revoke(const std::string& tokenId, Duration left) {
    drogon::sync_wait(revocations.revoke(tokenId, kNow + left));
  }
  void round() { drogon::sync_wait(exchange.exchange()); }
  /// As the node does every few seconds, until it knows of the token.
  bool learns(const std::string& tokenId) {
    return eventually([&] {
      round();
      return revocations.has(tokenId);
    });
  }

  Metrics metrics;
  Client client;
  RedisBus bus;
  Revocations revocations;
  RevocationExchange exchange;
  std::atomic<bool> listening = false;
};

struct RevocationsOfNodes : testing::Test {
  ManualClock clock{kNow};
  fixture::RedisServer server;
  Node a{server.url(), 'a', clock, true};
  Node b{server.url(), 'b', clock, true};
  Node deaf{server.url(), 'd', clock, false};

  void SetUp() override {
    ASSERT_TRUE(eventually([&] {
      return a.listening && b.listening && a.client.up() && b.client.up() && deaf.client.up();
    }));
    for (auto* node : {&a, &b, &deaf}) node->round();
  }
  std::int64_t inRedis() {
    Connection connection(server.url(), kLimits.connect);
    return connection.run({{"ZCARD", "tipflow:revoked"}}, kLimits.connect).front().integer;
  }
};

constexpr Duration kHour{kUsPerHour};

TEST_F(RevocationsOfNodes, a_token_logged_out_here_is_dead_there_without_a_round) {
  a.revoke("x", kHour);
  EXPECT_TRUE(a.revocations.has("x"));
  EXPECT_TRUE(eventually([&] { return b.revocations.has("x"); }));
  EXPECT_EQ(inRedis(), 1);
}

TEST_F(RevocationsOfNodes, who_missed_the_message_learns_it_in_the_next_round) {
  a.revoke("x", kHour);
  EXPECT_FALSE(deaf.revocations.has("x"));
  deaf.round();
  EXPECT_TRUE(deaf.revocations.has("x"));
}

TEST_F(RevocationsOfNodes, an_emptied_redis_is_filled_again_from_what_the_nodes_know) {
  for (int i = 0; i < 5'000; ++i) a.revocations.learn({{"a" + std::to_string(i), kNow + kHour}});
  a.round();
  deaf.revocations.learn({{"of-the-deaf", kNow + kHour}});
  deaf.round();
  ASSERT_EQ(inRedis(), 5'001);
  server.kill();
  server.start();
  ASSERT_TRUE(eventually([&] { return a.client.up() && deaf.client.up(); }));
  EXPECT_EQ(inRedis(), 0);
  ASSERT_TRUE(eventually([&] {
    a.round();
    return inRedis() == 5'000;
  }));
  ASSERT_TRUE(eventually([&] {
    deaf.round();
    return inRedis() == 5'001;
  }));
  a.round();
  EXPECT_TRUE(a.revocations.has("of-the-deaf"));
  Node young(server.url(), 'y', clock, false);
  ASSERT_TRUE(young.client.waitUntilUp(kHour));
  young.round();
  EXPECT_EQ(young.revocations.count(), 5'001U) << "a node that has just come";
}

TEST_F(RevocationsOfNodes, logged_out_while_redis_was_away_it_is_dead_everywhere_afterwards) {
  server.kill();
  ASSERT_TRUE(eventually([&] { return !a.client.up() && !b.client.up(); }));
  a.revoke("of-a", kHour);
  b.revoke("of-b", kHour);
  EXPECT_TRUE(a.revocations.has("of-a"));
  EXPECT_FALSE(b.revocations.has("of-a"));
  server.start();
  // Both know one: that they count the same says nothing.
  ASSERT_TRUE(eventually([&] {
    a.round();
    return inRedis() > 0;
  }));
  EXPECT_TRUE(b.learns("of-a"));
  EXPECT_TRUE(a.learns("of-b"));
}

TEST_F(RevocationsOfNodes, what_has_ended_is_dropped_everywhere) {
  a.revoke("short", kHour);
  a.revoke("long", kHour * 2);
  deaf.round();
  clock.advance(kHour);
  for (auto* node : {&a, &deaf}) {
    node->round();
    EXPECT_EQ(node->revocations.count(), 1U);
  }
  EXPECT_EQ(inRedis(), 1);
}

}  // namespace
}  // namespace tipflow::redis
