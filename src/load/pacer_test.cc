#include "load/pacer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace tipflow::load {
namespace {

constexpr MonotonicUs kSecond = 1'000'000;

std::vector<MonotonicUs> takeAll(Pacer& pacer, MonotonicUs now) {
  std::vector<MonotonicUs> starts;
  while (const auto start = pacer.take(now)) starts.push_back(*start);
  return starts;
}

TEST(Pacer, spreads_the_starts_evenly_over_the_run) {
  Pacer pacer({.perSecond = 4, .startUs = 100, .endUs = 100 + kSecond});
  EXPECT_EQ(takeAll(pacer, 100 + kSecond),
            (std::vector<MonotonicUs>{100, 250'100, 500'100, 750'100}));
  EXPECT_EQ(pacer.nextUs(), kNever);
  EXPECT_EQ(pacer.dropped(), 0U);
}

TEST(Pacer, gives_no_start_before_its_time) {
  Pacer pacer({.perSecond = 2, .startUs = 1'000});
  EXPECT_EQ(pacer.take(999), std::nullopt);
  EXPECT_EQ(pacer.take(1'000), 1'000);
  EXPECT_EQ(pacer.take(1'000), std::nullopt);
  EXPECT_EQ(pacer.nextUs(), 501'000);
}

TEST(Pacer, keeps_the_intended_instant_of_a_start_that_had_to_wait) {
  Pacer pacer({.perSecond = 1'000, .endUs = kSecond});
  EXPECT_EQ(pacer.take(0), 0);
  // Nothing could be sent for 5 ms: the starts of that time are still to be made, from then.
  EXPECT_EQ(takeAll(pacer, 5'000), (std::vector<MonotonicUs>{1'000, 2'000, 3'000, 4'000, 5'000}));
}

TEST(Pacer, keeps_its_rate_over_a_long_run) {
  Pacer pacer({.perSecond = 3'333.3, .endUs = 300 * kSecond});
  std::uint64_t starts = 0;
  for (MonotonicUs now = 0; pacer.nextUs() != kNever; now += 700) {
    starts += takeAll(pacer, now).size();
  }
  EXPECT_EQ(starts, 999'990U);
  EXPECT_EQ(pacer.dropped(), 0U);
}

TEST(Pacer, drops_and_counts_starts_that_are_too_late) {
  Pacer pacer({.perSecond = 10, .endUs = 100 * kSecond, .latestUs = 2 * kSecond});
  EXPECT_EQ(pacer.take(0), 0);
  const auto late = takeAll(pacer, 10 * kSecond);
  EXPECT_EQ(late.front(), 8 * kSecond);
  EXPECT_EQ(late.back(), 10 * kSecond);
  EXPECT_EQ(pacer.dropped(), 79U);
  EXPECT_EQ(pacer.dropped() + late.size() + 1, 101U);
}

TEST(Pacer, drops_no_more_than_there_were) {
  Pacer pacer({.perSecond = 10, .endUs = kSecond, .latestUs = kSecond});
  EXPECT_EQ(pacer.take(50 * kSecond), std::nullopt);
  EXPECT_EQ(pacer.dropped(), 10U);
  EXPECT_EQ(pacer.nextUs(), kNever);
}

TEST(Pacer, stopped_drops_what_is_overdue_and_gives_nothing_more) {
  Pacer pacer({.perSecond = 10});
  EXPECT_EQ(pacer.take(0), 0);
  EXPECT_EQ(pacer.waiting(250'000), 2U);
  pacer.stop(250'000);
  EXPECT_EQ(pacer.take(kSecond), std::nullopt);
  EXPECT_EQ(pacer.nextUs(), kNever);
  EXPECT_EQ(pacer.waiting(kSecond), 0U);
  EXPECT_EQ(pacer.dropped(), 2U);
}

TEST(Pacer, counts_as_waiting_what_is_due_and_not_taken) {
  Pacer pacer({.perSecond = 10, .startUs = 500, .endUs = 500 + kSecond});
  EXPECT_EQ(pacer.waiting(499), 0U);
  EXPECT_EQ(pacer.waiting(500), 1U);
  EXPECT_EQ(pacer.waiting(500 + 350'000), 4U);
  EXPECT_EQ(pacer.take(500 + 350'000), 500);
  EXPECT_EQ(pacer.waiting(500 + 350'000), 3U);
  EXPECT_EQ(pacer.waiting(50 * kSecond), 9U);
}

TEST(Pacer, in_a_closed_loop_always_has_a_start_until_the_end) {
  Pacer pacer({.perSecond = 0, .startUs = 10, .endUs = 100});
  EXPECT_EQ(pacer.take(9), std::nullopt);
  EXPECT_EQ(pacer.take(50), 50);
  EXPECT_EQ(pacer.take(50), 50);
  EXPECT_EQ(pacer.take(99), 99);
  EXPECT_EQ(pacer.nextUs(), 10);
  EXPECT_EQ(pacer.take(100), std::nullopt);
  EXPECT_EQ(pacer.nextUs(), kNever);
}

TEST(Pacer, in_a_closed_loop_ends_at_once_when_stopped) {
  Pacer pacer({.perSecond = 0, .startUs = 10});
  EXPECT_EQ(pacer.take(50), 50);
  pacer.stop(52);
  EXPECT_EQ(pacer.take(52), std::nullopt);
  EXPECT_EQ(pacer.nextUs(), kNever);
}

TEST(Pacer, follows_stages_up_and_down) {
  const std::vector<Stage> stages{{10, 100}, {10, 100}, {10, 0}};
  Pacer pacer({.stages = stages, .endUs = 30 * kSecond});
  std::vector<int> perSecond(30);
  for (MonotonicUs now = 0; now <= 30 * kSecond; now += 500) {
    while (const auto start = pacer.take(now))
      ++perSecond[static_cast<std::size_t>(*start / kSecond)];
  }
  EXPECT_NEAR(perSecond[0], 5, 1);  // from 0 to 10 a second
  EXPECT_NEAR(perSecond[9], 95, 1);
  for (int second = 10; second < 20; ++second) EXPECT_EQ(perSecond[second], 100);
  EXPECT_NEAR(perSecond[20], 95, 1);
  EXPECT_NEAR(perSecond[29], 5, 1);
  EXPECT_EQ(std::accumulate(perSecond.begin(), perSecond.end(), 0), 2'000);
  EXPECT_EQ(pacer.nextUs(), kNever);
}

TEST(Pacer, rests_in_a_stage_without_starts) {
  // A jump to 10, a second of it, a jump to nothing for a second, and back.
  const auto stages = parseStages("0s:10,1s:10,0s:0,1s:0,0s:10,1s:10");
  ASSERT_TRUE(stages);
  Pacer pacer({.stages = *stages, .endUs = 3 * kSecond});
  const auto starts = takeAll(pacer, 3 * kSecond);
  ASSERT_EQ(starts.size(), 20U);
  EXPECT_EQ(starts[9], 900'000);
  EXPECT_EQ(starts[10], 2 * kSecond);
  EXPECT_EQ(starts[19], 2'900'000);
}

TEST(Pacer, schedules_with_different_phases_interleave_to_the_whole) {
  std::vector<MonotonicUs> starts;
  for (const double phase : {0.0, 0.5}) {
    Pacer pacer({.perSecond = 2, .endUs = kSecond, .phase = phase});
    for (const auto start : takeAll(pacer, kSecond)) starts.push_back(start);
  }
  std::sort(starts.begin(), starts.end());
  EXPECT_EQ(starts, (std::vector<MonotonicUs>{0, 250'000, 500'000, 750'000}));
}

}  // namespace
}  // namespace tipflow::load
