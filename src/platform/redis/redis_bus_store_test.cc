// The bus between two processes' worth of parts, over a real Redis that may die.
#include "platform/redis/redis_bus.h"

#include <gtest/gtest.h>

#include <map>

#include "store/database.h"
#include "store/redis.h"

namespace tipflow::redis {
namespace {

using fixture::eventually;

constexpr Limits kLimits{.shortestPause = Duration{10 * kUsPerMs},
                         .longestPause = Duration{50 * kUsPerMs}};

/// What one process has of the bus, and what it heard.
struct Node {
  Node(const Url& url, char name)
      : client(url, metrics, kLimits), bus(client, std::string(32, name), metrics, kLimits) {
    listen("room");
    bus.onGap({"room", "late"}, [this] { ++gaps; });
    bus.onGap({"elsewhere"}, [this] { ++gapsElsewhere; });
    client.start();
    bus.start();
  }
  ~Node() {
    bus.stop();
    client.stop();
  }
  void listen(const std::string& topic) {
    bus.subscribe(topic, [this, topic](std::string_view message) {
      const std::lock_guard lock(mutex);
      heard[topic].emplace_back(message);
    });
  }
  std::vector<std::string> heardOf(const std::string& topic) {
    const std::lock_guard lock(mutex);
    return heard[topic];
  }
  bool hears() { return client.up() && gaps > 0; }

  Metrics metrics;
  Client client;
  RedisBus bus;
  std::atomic<int> gaps = 0;
  std::atomic<int> gapsElsewhere = 0;
  std::mutex mutex;
  std::map<std::string, std::vector<std::string>> heard;
};

struct TwoNodes : testing::Test {
  fixture::RedisServer server;
  Node a{server.url(), 'a'};
  Node b{server.url(), 'b'};

  void SetUp() override {
    ASSERT_TRUE(eventually([&] { return a.hears() && b.hears(); }));
  }
};

using Messages = std::vector<std::string>;

TEST_F(TwoNodes, every_node_hears_a_message_once_in_order_and_its_own_at_once) {
  Messages all;
  for (int i = 0; i < 1'000; ++i) {
    all.push_back(std::to_string(i));
    a.bus.publish("room", all.back());
  }
  EXPECT_EQ(a.heardOf("room"), all) << "before publish returned";
  EXPECT_TRUE(eventually([&] { return b.heardOf("room").size() >= all.size(); }));
  b.bus.publish("room", "last");
  ASSERT_TRUE(eventually([&] { return a.heardOf("room").size() > all.size(); }));
  all.emplace_back("last");
  EXPECT_EQ(a.heardOf("room"), all) << "nothing of its own came back";
  EXPECT_EQ(b.heardOf("room"), all);
}

TEST_F(TwoNodes, messages_hold_anything_and_go_to_their_topic_alone) {
  b.listen("other");
  const std::string odd("\0\r\n*3 {}\xff", 9);
  a.bus.publish("room", odd);
  a.bus.publish("nobody", "unheard");
  a.bus.publish("room", "");
  ASSERT_TRUE(eventually([&] { return b.heardOf("room").size() == 2; }));
  EXPECT_EQ(b.heardOf("room"), (Messages{odd, ""}));
  EXPECT_TRUE(b.heardOf("other").empty());
}

TEST_F(TwoNodes, a_topic_listened_to_later_is_heard_and_begins_with_a_gap) {
  const int before = b.gaps;
  b.listen("late");
  ASSERT_TRUE(eventually([&] { return b.gaps > before; }));
  a.bus.publish("late", "heard");
  EXPECT_TRUE(eventually([&] { return b.heardOf("late") == Messages{"heard"}; }));
}

TEST_F(TwoNodes, redis_killed_is_a_gap_and_afterwards_all_is_heard_again) {
  const int gapsA = a.gaps;
  const int gapsB = b.gaps;
  server.kill();
  ASSERT_TRUE(eventually([&] { return !a.client.up(); }));
  a.bus.publish("room", "lost");
  EXPECT_EQ(a.heardOf("room"), Messages{"lost"}) << "at home it is heard all the same";
  server.start();
  ASSERT_TRUE(eventually([&] { return a.gaps > gapsA && b.gaps > gapsB && a.client.up(); }));
  a.bus.publish("room", "found");
  EXPECT_TRUE(eventually([&] { return b.heardOf("room") == Messages{"found"}; }));
}

// Only A's connection for commands is cut: the one over which B listens lives on.
TEST_F(TwoNodes, what_one_process_could_not_send_is_a_gap_for_the_others) {
  const int before = b.gaps;
  Connection admin(server.url(), kLimits.connect);
  admin.run({{"CLIENT", "KILL", "TYPE", "normal"}}, kLimits.answer);
  ASSERT_TRUE(eventually([&] {
    a.bus.publish("room", "perhaps lost");
    return b.gaps > before;
  }));
  EXPECT_GE(a.heardOf("room").size(), 1U);
  EXPECT_EQ(b.gapsElsewhere, 1) << "only the one at the beginning: nothing was lost there";
}

TEST_F(TwoNodes, a_frozen_redis_keeps_no_publisher_waiting) {
  server.freeze();
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 10'000; ++i) a.bus.publish("room", "x");
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  EXPECT_LT(took.count(), 1.0);
  EXPECT_EQ(a.heardOf("room").size(), 10'000U);
  ASSERT_TRUE(eventually([&] { return !a.client.up(); }));
  const int before = b.gaps;
  server.wake();
  EXPECT_TRUE(eventually([&] { return b.gaps > before; })) << "B is told that it missed something";
}

TEST_F(TwoNodes, a_listener_that_throws_stops_nobody_else) {
  b.bus.subscribe("room", [](std::string_view) { throw std::runtime_error("broken"); });
  a.bus.publish("room", "1");
  a.bus.publish("room", "2");
  EXPECT_TRUE(eventually([&] { return b.heardOf("room") == Messages{"1", "2"}; }));
}

TEST(RedisBusDatabases, clusters_in_two_databases_of_one_redis_do_not_hear_each_other) {
  const fixture::RedisServer server;
  Node a(server.url(), 'a');
  auto url = server.url();
  url.database = 1;
  Node stranger(url, 's');
  Node b(server.url(), 'b');
  ASSERT_TRUE(eventually([&] { return a.hears() && b.hears() && stranger.hears(); }));
  a.bus.publish("room", "ours");
  ASSERT_TRUE(eventually([&] { return b.heardOf("room") == Messages{"ours"}; }));
  stranger.bus.publish("room", "theirs");
  a.bus.publish("room", "ours too");
  ASSERT_TRUE(eventually([&] { return b.heardOf("room").size() == 2; }));
  EXPECT_EQ(b.heardOf("room"), (Messages{"ours", "ours too"}));
  EXPECT_EQ(stranger.heardOf("room"), Messages{"theirs"});
}

}  // namespace
}  // namespace tipflow::redis
