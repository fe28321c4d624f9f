#include "platform/http/rate_limit.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace tipflow {
namespace {

constexpr Time kNow{1'770'000'000'000'000};
constexpr Duration kMs{kUsPerMs};
const RateLimit::Key kA{0, 1};
const RateLimit::Key kB{0, 2};

int allowed(RateLimit& limit, const RateLimit::Key& key, Time now, int tries) {
  int count = 0;
  for (int i = 0; i < tries; ++i) count += limit.take(key, now) == Duration{0} ? 1 : 0;
  return count;
}

TEST(RateLimit, allows_a_burst_and_then_so_many_a_second) {
  RateLimit limit(100, 20);
  EXPECT_EQ(allowed(limit, kA, kNow, 50), 20);
  EXPECT_EQ(allowed(limit, kA, kNow + kMs * 100, 50), 10);
  EXPECT_EQ(allowed(limit, kA, kNow + kMs * 100 + kMs * 1'000, 50), 20)
      << "never more than a burst";
}

TEST(RateLimit, allows_the_rate_and_no_more_over_a_long_time) {
  RateLimit limit(100, 20);
  int count = 0;
  for (int ms = 0; ms < 10'000; ++ms) count += allowed(limit, kA, kNow + kMs * ms, 1);
  EXPECT_GE(count, 1'000);
  EXPECT_LE(count, 1'020);
}

TEST(RateLimit, says_when_the_next_is_allowed) {
  RateLimit limit(10, 1);
  EXPECT_EQ(limit.take(kA, kNow), Duration{0});
  EXPECT_EQ(limit.take(kA, kNow), kMs * 100);
  EXPECT_EQ(limit.take(kA, kNow + kMs * 40), kMs * 60);
  EXPECT_NE(limit.take(kA, kNow + kMs * 99), Duration{0});
  EXPECT_EQ(limit.take(kA, kNow + kMs * 100), Duration{0});
}

TEST(RateLimit, counts_each_key_for_itself) {
  RateLimit limit(10, 2);
  EXPECT_EQ(allowed(limit, kA, kNow, 5), 2);
  EXPECT_EQ(allowed(limit, kB, kNow, 5), 2);
}

TEST(RateLimit, of_nothing_is_none) {
  RateLimit limit(0, 1);
  EXPECT_FALSE(limit.on());
  EXPECT_EQ(allowed(limit, kA, kNow, 1'000), 1'000);
  EXPECT_EQ(limit.keys(), 0U);
}

TEST(RateLimit, recovers_from_a_clock_that_is_set_back) {
  RateLimit limit(10, 5);
  EXPECT_EQ(allowed(limit, kA, kNow, 10), 5);
  const Time before = kNow - kMs * 3'600'000;
  EXPECT_EQ(allowed(limit, kA, before, 10), 0);
  EXPECT_EQ(allowed(limit, kA, before + kMs * 500, 10), 5);
}

TEST(RateLimit, keeps_no_more_keys_than_it_may_and_none_that_paused) {
  RateLimit limit(1, 1);
  for (std::uint64_t i = 0; i < RateLimit::kMostKeys * 2; ++i) {
    (void)limit.take({1, i}, kNow + Duration{static_cast<std::int64_t>(i)});
  }
  EXPECT_LE(limit.keys(), RateLimit::kMostKeys);
  EXPECT_GE(limit.keys(), RateLimit::kMostKeys / 4);
}

TEST(RateLimit, keeps_the_emptiest_buckets_when_room_is_short) {
  RateLimit limit(1, 1'000);
  (void)allowed(limit, kA, kNow, 1'000);
  for (std::uint64_t i = 0; i < RateLimit::kMostKeys * 2; ++i) (void)limit.take({1, i}, kNow);
  EXPECT_EQ(allowed(limit, kA, kNow, 10), 0) << "a flood of other keys must not refill it";
}

TEST(RateLimit, allows_no_more_to_many_threads_than_to_one) {
  RateLimit limit(1, 100);
  std::atomic<int> count{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] { count += allowed(limit, kA, kNow, 100); });
    }
  }
  EXPECT_EQ(count, 100);
}

}  // namespace
}  // namespace tipflow
