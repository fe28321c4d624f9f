// Calls to real servers on this machine that are slow, dead, flapping, or lie.
#include "platform/rpc/caller.h"

#include <gtest/gtest.h>

#include <future>

#include "platform/rpc/ask.h"
#include "platform/rpc/fake_node.h"

namespace tipflow::rpc {
namespace {

using Mood = FakeNode::Mood;

struct Number {
  Ranged<0, 100> number;
};
BOOST_DESCRIBE_STRUCT(Number, (), (number))

constexpr Duration kShort{100 * kUsPerMs};

class CallerTest : public ::testing::Test {
 protected:
  Caller& caller(Limits limits = {}) {
    if (!caller_) {
      const auto sign = [](drogon::HttpMethod, const std::string&, const std::string&) {
        return std::vector<std::pair<std::string, std::string>>{{"X-Tipflow-Node", "test"}};
      };
      caller_ = std::make_unique<Caller>("finance", registry, connections, sign, clock, random,
                                         metrics, limits);
    }
    return *caller_;
  }
  void join(int port) {
    registry.add({"node-" + std::to_string(port), "finance", "127.0.0.1", port, "1"});
  }
  std::int64_t ask(bool idempotent = true, Duration deadline = kDefaultDeadline) {
    Request request{drogon::Get, "/internal/v1/number", {}, idempotent, deadline};
    return askBlocking<Number>(caller(), std::move(request)).number.value;
  }
  /// How many of `count` calls are answered.
  int answered(int count, bool idempotent = true, Duration deadline = kDefaultDeadline) {
    int good = 0;
    for (int i = 0; i < count; ++i) {
      try {
        good += ask(idempotent, deadline) == 7 ? 1 : 0;
      } catch (const db::Error&) {
        continue;
      }
    }
    return good;
  }
  bool isEjected(int port) {
    for (const auto& peer : caller().state().peers) {
      if (peer.address == "127.0.0.1:" + std::to_string(port)) return peer.ejected;
    }
    return false;
  }
  BreakerState breaker() { return caller().state().breaker; }
  double counted(const char* outcome) {
    return metrics
        .counter("tipflow_rpc_calls_total", "Calls to other nodes, by outcome.",
                 {{"role", "finance"}, {"outcome", outcome}})
        .Value();
  }

  ManualClock clock{Time{1'770'000'000'000'000}};
  SeededRandom random{7};
  Metrics metrics;
  LocalRegistry registry;
  Connections connections;
  std::unique_ptr<Caller> caller_;
};

Limits withoutBreaker() {
  Limits limits;
  limits.breaker.least = 1'000'000;
  return limits;
}

TEST_F(CallerTest, brings_the_answer_over_one_connection_that_is_kept) {
  FakeNode node;
  join(node.port());
  for (int i = 0; i < 10; ++i) EXPECT_EQ(ask(), 7);
  EXPECT_EQ(node.requests(), 10);
  EXPECT_EQ(node.connections(), 1);
  EXPECT_EQ(counted("succeeded"), 10);
}

TEST_F(CallerTest, says_who_it_is_what_it_wants_and_how_long_it_waits) {
  FakeNode node;
  join(node.port());
  Request request{drogon::Post, "/internal/v1/number?x=1", R"({"a":1})"};
  (void)askBlocking<Number>(caller(), std::move(request));
  const auto sent = node.last();
  EXPECT_TRUE(sent.starts_with("POST /internal/v1/number?x=1 HTTP/1.1\r\n")) << sent;
  EXPECT_NE(sent.find("x-tipflow-node: test\r\n"), std::string::npos) << sent;
  EXPECT_NE(sent.find("x-tipflow-deadline-ms: 2000\r\n"), std::string::npos) << sent;
  EXPECT_TRUE(sent.ends_with("\r\n\r\n{\"a\":1}")) << sent;
}

TEST_F(CallerTest, a_role_that_nobody_has_is_away_at_once) {
  EXPECT_THROW(ask(), Away);
  EXPECT_EQ(counted("refused"), 1);
}

TEST_F(CallerTest, a_dead_node_costs_no_call_and_is_left_out_soon) {
  FakeNode good;
  auto dead = std::make_unique<FakeNode>();
  join(good.port());
  join(dead->port());
  EXPECT_EQ(answered(20), 20);  // saves up retries
  const int port = dead->port();
  dead.reset();
  EXPECT_EQ(answered(30, false), 30) << "nothing was sent, so it may be tried again elsewhere";
  EXPECT_TRUE(isEjected(port));
  EXPECT_EQ(breaker(), BreakerState::closed);
}

TEST_F(CallerTest, a_flapping_node_is_left_out_longer_each_time_and_comes_back) {
  FakeNode steady;
  FakeNode flapping;
  join(steady.port());
  join(flapping.port());
  (void)caller(withoutBreaker());
  EXPECT_EQ(answered(40), 40);

  flapping.be(Mood::overloaded);
  EXPECT_EQ(answered(30), 30);
  EXPECT_TRUE(isEjected(flapping.port()));
  const int before = flapping.requests();
  EXPECT_EQ(answered(20), 20);
  EXPECT_EQ(flapping.requests(), before) << "it is left alone";

  clock.advance(Duration{kUsPerSecond});
  EXPECT_FALSE(isEjected(flapping.port()));
  EXPECT_EQ(answered(20), 20);  // tried again, and still no good
  EXPECT_TRUE(isEjected(flapping.port()));
  clock.advance(Duration{kUsPerSecond});
  EXPECT_TRUE(isEjected(flapping.port())) << "longer than the first time";

  flapping.be(Mood::good);
  clock.advance(Duration{kUsPerSecond});
  const int left = flapping.requests();
  EXPECT_EQ(answered(40), 40);
  EXPECT_GT(flapping.requests(), left);
  EXPECT_FALSE(isEjected(flapping.port()));
}

TEST_F(CallerTest, a_lying_node_counts_as_one_that_fails) {
  FakeNode honest;
  FakeNode liar;
  join(honest.port());
  join(liar.port());
  EXPECT_EQ(answered(20), 20);
  liar.be(Mood::lying);
  EXPECT_EQ(answered(30), 30);
  EXPECT_TRUE(isEjected(liar.port()));
}

TEST_F(CallerTest, an_answer_that_nobody_understands_leaves_the_outcome_unknown) {
  FakeNode liar;
  join(liar.port());
  liar.be(Mood::lying);
  EXPECT_THROW(ask(), Unknown);
  liar.be(Mood::broken);
  EXPECT_THROW(ask(), Unknown);
  liar.be(Mood::overloaded);
  EXPECT_THROW(ask(), Away);
}

TEST_F(CallerTest, what_may_have_been_done_is_not_done_again) {
  FakeNode one;
  FakeNode two;
  join(one.port());
  join(two.port());
  one.be(Mood::breakingOff);
  two.be(Mood::breakingOff);
  EXPECT_THROW(ask(false), Unknown);
  EXPECT_EQ(one.requests() + two.requests(), 1);
  EXPECT_THROW(ask(true), Unknown);
  EXPECT_EQ(one.requests() + two.requests(), 3);
}

TEST_F(CallerTest, retries_never_become_more_than_a_fifth_of_the_calls) {
  FakeNode one;
  FakeNode two;
  join(one.port());
  join(two.port());
  (void)caller(withoutBreaker());
  one.be(Mood::overloaded);
  two.be(Mood::overloaded);
  EXPECT_EQ(answered(100), 0);
  const int retries = one.requests() + two.requests() - 100;
  EXPECT_GE(retries, 20);
  EXPECT_LE(retries, 23) << "three to begin with, and a fifth";
}

TEST_F(CallerTest, a_role_that_fails_is_left_alone_then_probed_until_it_is_well) {
  FakeNode node;
  join(node.port());
  node.be(Mood::overloaded);
  EXPECT_EQ(answered(50), 0);
  EXPECT_EQ(node.requests(), 20) << "then the circuit is open";
  EXPECT_EQ(breaker(), BreakerState::open);
  EXPECT_EQ(counted("refused"), 30);

  clock.advance(Duration{2 * kUsPerSecond});
  EXPECT_EQ(answered(10), 0);
  EXPECT_EQ(node.requests(), 21) << "one probe";

  node.be(Mood::good);
  clock.advance(Duration{2 * kUsPerSecond});
  EXPECT_EQ(answered(1), 0) << "twice as long after a probe that failed";
  clock.advance(Duration{2 * kUsPerSecond});
  EXPECT_EQ(answered(5), 5);
  EXPECT_EQ(breaker(), BreakerState::closed);
}

TEST_F(CallerTest, a_slow_node_takes_no_longer_than_the_deadline) {
  FakeNode slow;
  FakeNode slower;
  join(slow.port());
  join(slower.port());
  slow.be(Mood::slow);
  slower.be(Mood::slow);
  const SystemClock real;
  Caller punctual(
      "finance", registry, connections,
      [](auto, const auto&, const auto&) {
        return std::vector<std::pair<std::string, std::string>>{};
      },
      real, random, metrics);
  Request request{drogon::Get, "/internal/v1/number", {}, true, 2 * kShort};
  const Time began = real.now();
  EXPECT_THROW((void)askBlocking<Number>(punctual, std::move(request)), Unknown);
  const Duration took = real.now() - began;
  EXPECT_GE(took, kShort);
  EXPECT_LT(took, 2 * kDefaultDeadline) << "the deadline holds for the call with its retry";
  EXPECT_EQ(slow.requests() + slower.requests(), 1);
}

TEST_F(CallerTest, a_slow_node_is_left_out_and_then_slows_nobody) {
  FakeNode good;
  FakeNode slow;
  join(good.port());
  join(slow.port());
  EXPECT_EQ(answered(20), 20);
  slow.be(Mood::slow);
  (void)answered(30, true, kShort);
  EXPECT_TRUE(isEjected(slow.port()));
  const int before = slow.requests();
  EXPECT_EQ(answered(20), 20);
  EXPECT_EQ(slow.requests(), before);
}

TEST_F(CallerTest, goes_on_where_it_was_asked) {
  FakeNode node;
  join(node.port());
  trantor::EventLoopThread thread;
  thread.run();
  std::promise<std::pair<std::int64_t, bool>> promise;
  thread.getLoop()->queueInLoop([&] {
    drogon::async_run([&]() -> drogon::Task<> {
      Request request;
      request.path = "/internal/v1/number";
      const auto number = co_await rpc::ask<Number>(caller(), std::move(request));
      promise.set_value({number.number.value, thread.getLoop()->isInLoopThread()});
    });
  });
  EXPECT_EQ(promise.get_future().get(), std::pair(std::int64_t{7}, true));
}

TEST_F(CallerTest, a_node_that_joins_is_called_and_one_that_left_is_not) {
  FakeNode first;
  FakeNode second;
  join(first.port());
  EXPECT_EQ(answered(5), 5);
  join(second.port());
  EXPECT_EQ(answered(20), 20);
  EXPECT_GT(second.requests(), 0);
  registry.removeNode("node-" + std::to_string(first.port()));
  const int before = first.requests();
  EXPECT_EQ(answered(20), 20);
  EXPECT_EQ(first.requests(), before);
}

}  // namespace
}  // namespace tipflow::rpc
