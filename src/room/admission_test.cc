#include "room/admission.h"

#include <gtest/gtest.h>

#include <map>

namespace tipflow::room {
namespace {

constexpr Time kStart{1'000 * kUsPerSecond};

TEST(Admission, lets_a_burst_in_and_then_the_rate) {
  Admission admission(100, 250);
  int admitted = 0;
  for (int i = 0; i < 1'000; ++i) admitted += admission.take(kStart) == 0 ? 1 : 0;
  EXPECT_EQ(admitted, 250);
  for (int i = 0; i < 1'000; ++i) {
    admitted += admission.take(kStart + Duration{kUsPerSecond}) == 0 ? 1 : 0;
  }
  EXPECT_EQ(admitted, 350);
}

TEST(Admission, tells_those_it_turns_away_to_return_spread_over_time) {
  Admission admission(100, 1);
  EXPECT_EQ(admission.take(kStart), 0);
  std::map<int, int> returning;
  for (int i = 0; i < 1'000; ++i) ++returning[admission.take(kStart)];
  EXPECT_EQ(returning.size(), 10U);
  for (const auto& [second, clients] : returning) {
    EXPECT_GE(second, 1);
    EXPECT_LE(clients, 100);
  }
}

TEST(Admission, sends_nobody_away_for_longer_than_its_longest_wait) {
  Admission admission(1, 1);
  int longest = 0;
  for (int i = 0; i < 10'000; ++i) longest = std::max(longest, admission.take(kStart));
  EXPECT_EQ(longest, Admission::kLongestWaitSeconds);
}

TEST(Admission, is_open_again_after_a_storm) {
  Admission admission(10, 10);
  for (int i = 0; i < 100; ++i) (void)admission.take(kStart);
  EXPECT_EQ(admission.take(kStart + Duration{kUsPerSecond}), 0);
}

}  // namespace
}  // namespace tipflow::room
