#include "platform/rpc/breaker.h"

#include <gtest/gtest.h>

namespace tipflow::rpc {
namespace {

constexpr Time kNoon{1'770'000'000 * kUsPerSecond};
constexpr Duration kSecond{kUsPerSecond};

class BreakerTest : public testing::Test {
 protected:
  void fail(int times) {
    for (int i = 0; i < times; ++i) breaker.onFailure(now);
  }
  void succeed(int times) {
    for (int i = 0; i < times; ++i) breaker.onSuccess(now);
  }
  bool probe(bool good) {
    if (!breaker.admits(now)) return false;
    if (good) {
      breaker.onSuccess(now);
    } else {
      breaker.onFailure(now);
    }
    return true;
  }

  Time now = kNoon;
  Breaker breaker{BreakerLimits{}};
};

TEST_F(BreakerTest, stays_closed_while_few_calls_fail) {
  succeed(60);
  fail(40);
  EXPECT_TRUE(breaker.admits(now));
  EXPECT_EQ(breaker.state(), BreakerState::closed);
}

TEST_F(BreakerTest, does_not_judge_by_a_handful_of_calls) {
  fail(19);
  EXPECT_TRUE(breaker.admits(now));
  fail(1);
  EXPECT_FALSE(breaker.admits(now));
}

TEST_F(BreakerTest, looks_back_at_the_last_hundred_calls_only) {
  succeed(10'000);
  fail(49);
  EXPECT_TRUE(breaker.admits(now));
  fail(1);
  EXPECT_FALSE(breaker.admits(now));
}

TEST_F(BreakerTest, lets_one_probe_at_a_time_through_after_a_while) {
  fail(20);
  now = now + 2 * kSecond - Duration{1};
  EXPECT_FALSE(breaker.admits(now));
  now = now + Duration{1};
  EXPECT_TRUE(breaker.admits(now));
  EXPECT_FALSE(breaker.admits(now)) << "while a probe is under way";
  EXPECT_EQ(breaker.state(), BreakerState::halfOpen);
}

TEST_F(BreakerTest, closes_after_three_good_probes) {
  fail(20);
  now = now + 2 * kSecond;
  EXPECT_TRUE(probe(true));
  EXPECT_TRUE(probe(true));
  EXPECT_EQ(breaker.state(), BreakerState::halfOpen);
  EXPECT_TRUE(probe(true));
  EXPECT_EQ(breaker.state(), BreakerState::closed);
  fail(19);
  EXPECT_TRUE(breaker.admits(now)) << "what was before it closed is forgotten";
}

TEST_F(BreakerTest, waits_twice_as_long_after_each_bad_probe_up_to_a_bound) {
  fail(20);
  Duration wait = 2 * kSecond;
  for (int i = 0; i < 6; ++i) {
    now = now + wait - Duration{1};
    EXPECT_FALSE(probe(false)) << i;
    now = now + Duration{1};
    EXPECT_TRUE(probe(false)) << i;
    wait = std::min(wait * 2, 4 * kSecond);
  }
}

TEST_F(BreakerTest, gives_a_probe_that_was_not_made_to_another) {
  fail(20);
  now = now + 2 * kSecond;
  EXPECT_TRUE(breaker.admits(now));
  breaker.onNotMade();
  EXPECT_TRUE(breaker.admits(now));
}

TEST_F(BreakerTest, is_not_moved_by_late_answers_to_calls_from_before) {
  fail(20);
  succeed(100);
  EXPECT_EQ(breaker.state(), BreakerState::open);
  fail(100);
  now = now + 2 * kSecond;
  EXPECT_TRUE(breaker.admits(now));
}

}  // namespace
}  // namespace tipflow::rpc
