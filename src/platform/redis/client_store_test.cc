// The client against a real Redis that dies, freezes and comes back.
#include "platform/redis/client.h"

#include <gtest/gtest.h>

#include <chrono>

#include "store/database.h"
#include "store/redis.h"

namespace tipflow::redis {
namespace {

using fixture::eventually;
using std::chrono::steady_clock;

constexpr Limits kLimits{.answer = Duration{200 * kUsPerMs},
                         .shortestPause = Duration{10 * kUsPerMs},
                         .longestPause = Duration{50 * kUsPerMs}};

struct RedisClient : testing::Test {
  fixture::RedisServer server;
  Metrics metrics;
  Client client{server.url(), metrics, kLimits};

  void SetUp() override {
    client.start();
    ASSERT_TRUE(client.waitUntilUp(Duration{5 * kUsPerSecond}));
  }
  std::vector<Reply> run(std::vector<Command> commands) {
    return drogon::sync_wait(client.run(std::move(commands)));
  }
  std::string text(std::vector<Command> commands) {
    const auto replies = run(std::move(commands));
    return replies.empty() ? "away" : replies.back().text;
  }
};

std::chrono::milliseconds since(steady_clock::time_point began) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - began);
}

TEST_F(RedisClient, answers_in_the_order_of_what_was_asked) {
  const auto replies = run({{"SET", "a", std::string("x\0y\r\n", 5)},
                            {"GET", "a"},
                            {"INCRBY", "n", "41"},
                            {"GET", "nothing"},
                            {"NO SUCH COMMAND"},
                            {"RPUSH", "l", "1", "2"},
                            {"LRANGE", "l", "0", "-1"}});
  ASSERT_EQ(replies.size(), 7U);
  EXPECT_EQ(replies[0].text, "OK");
  EXPECT_EQ(replies[1].text, std::string("x\0y\r\n", 5));
  EXPECT_EQ(replies[2].integer, 41);
  EXPECT_EQ(replies[3].kind, Reply::Kind::nil);
  EXPECT_TRUE(replies[4].isError());
  EXPECT_EQ(replies[5].integer, 2);
  ASSERT_EQ(replies[6].list.size(), 2U);
  EXPECT_EQ(replies[6].list[1].text, "2");
}

TEST_F(RedisClient, serves_many_threads_each_with_its_own_answers) {
  fixture::atOnce(8, [&](int thread) {
    for (int i = 0; i < 500; ++i) {
      const auto value = std::to_string(thread * 1'000 + i);
      const auto key = "key-" + std::to_string(thread);
      if (text({{"SET", key, value}, {"GET", key}}) != value) throw std::runtime_error(value);
    }
  });
}

TEST_F(RedisClient, is_away_at_once_when_redis_was_killed_and_there_again_when_it_is) {
  ASSERT_EQ(text({{"SET", "a", "1"}}), "OK");
  server.kill();
  ASSERT_TRUE(eventually([&] { return !client.up(); })) << "found without anybody asking";
  const auto began = steady_clock::now();
  for (int i = 0; i < 1'000; ++i) ASSERT_EQ(text({{"GET", "a"}}), "away");
  EXPECT_LT(since(began).count(), 10'000) << "a hundredth of what waiting for each would take";
  server.start();
  ASSERT_TRUE(eventually([&] { return text({{"PING"}}) == "PONG"; }));
  EXPECT_EQ(run({{"GET", "a"}}).front().kind, Reply::Kind::nil) << "it came back empty";
}

TEST_F(RedisClient, a_frozen_redis_holds_nobody_up_for_longer_than_its_time) {
  server.freeze();
  const auto began = steady_clock::now();
  fixture::atOnce(8, [&](int) {
    if (text({{"GET", "a"}}) != "away") throw std::runtime_error("a frozen Redis answered");
  });
  EXPECT_LT(since(began).count(), 1'000);
  EXPECT_FALSE(client.up());
  const auto later = steady_clock::now();
  for (int i = 0; i < 100; ++i) ASSERT_EQ(text({{"GET", "a"}}), "away");
  EXPECT_LT(since(later).count(), 2'000) << "a tenth of what waiting for each would take";
  server.wake();
  EXPECT_TRUE(eventually([&] { return text({{"PING"}}) == "PONG"; }));
}

TEST_F(RedisClient, says_when_it_changes_and_before_those_who_lost_something_hear_of_it) {
  std::mutex mutex;
  std::vector<std::string> said;
  const auto say = [&](std::string what) {
    const std::lock_guard lock(mutex);
    said.push_back(std::move(what));
  };
  Client other(server.url(), metrics, kLimits);
  other.onChange([&](bool up) { say(up ? "up" : "down"); });
  other.start();
  ASSERT_TRUE(other.waitUntilUp(Duration{5 * kUsPerSecond}));
  server.freeze();
  other.submit({{"PING"}}, [&](const std::vector<Reply>& replies) {
    say(replies.empty() ? "lost" : "answered");
  });
  ASSERT_TRUE(eventually([&] { return !other.up(); }));
  server.wake();
  ASSERT_TRUE(other.waitUntilUp(Duration{5 * kUsPerSecond}));
  other.stop();
  EXPECT_EQ(said, (std::vector<std::string>{"up", "down", "lost", "up"}));
}

TEST_F(RedisClient, what_is_asked_after_its_end_is_away) {
  client.stop();
  EXPECT_EQ(text({{"PING"}}), "away");
  bool told = false;
  client.submit({{"PING"}}, [&](const std::vector<Reply>& replies) { told = replies.empty(); });
  EXPECT_TRUE(told);
}

TEST_F(RedisClient, counts_what_became_of_commands) {
  run({{"PING"}, {"NO SUCH COMMAND"}});
  EXPECT_NE(metrics.text().find("tipflow_redis_up 1"), std::string::npos);
  server.kill();
  ASSERT_TRUE(eventually([&] { return !client.up(); }));
  run({{"PING"}, {"PING"}});
  const auto text = metrics.text();
  for (const auto* line : {"tipflow_redis_up 0", R"(outcome="answered"} 1)",
                           R"(outcome="refused"} 1)", R"(outcome="away"} 2)"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << " in\n" << text;
  }
}

TEST(RedisAccount, opens_a_guarded_redis_and_is_needed_there) {
  const fixture::RedisServer server({"--requirepass", "secret"});
  Metrics metrics;
  auto url = server.url();
  url.database = 3;
  Client right(url, metrics, kLimits);
  right.start();
  EXPECT_TRUE(right.waitUntilUp(Duration{5 * kUsPerSecond}));

  for (const auto* password : {"", "wrong"}) {
    url.password = password;
    EXPECT_THROW(Connection(url, Duration{kUsPerSecond}), Away) << password;
  }
  url.password = "secret";
  url.database = 1'000;
  EXPECT_THROW(Connection(url, Duration{kUsPerSecond}), Away) << "no such database";
}

}  // namespace
}  // namespace tipflow::redis
