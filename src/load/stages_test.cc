#include "load/stages.h"

#include <gtest/gtest.h>

#include <cmath>

namespace tipflow::load {
namespace {

TEST(Stages, are_read_as_durations_and_rates) {
  EXPECT_EQ(parseStages("10s:1000,1.5m:5000,500ms:0"),
            (std::vector<Stage>{{10, 1'000}, {90, 5'000}, {0.5, 0}}));
  EXPECT_EQ(parseStages("1h:0.5"), (std::vector<Stage>{{3'600, 0.5}}));
}

TEST(Stages, are_refused_when_they_are_anything_else) {
  for (const auto* text : {"", "10s", "10:1000", "10s:1000,", ",10s:5", "-1s:5", "1s:-5", "1x:5",
                           "1s:5x", "1s:nan", "inf:5", "1s:1e99", "0s:100", "5s:0"}) {
    EXPECT_FALSE(parseStages(text)) << text;
  }
}

TEST(Schedule, has_as_many_starts_as_the_area_under_its_rate) {
  const Schedule schedule({{10, 1'000}, {30, 5'000}, {10, 0}}, 1);
  EXPECT_DOUBLE_EQ(schedule.seconds(), 50);
  EXPECT_DOUBLE_EQ(schedule.startsBy(5), 1'250);
  EXPECT_DOUBLE_EQ(schedule.startsBy(10), 5'000);
  EXPECT_DOUBLE_EQ(schedule.startsBy(40), 95'000);
  EXPECT_DOUBLE_EQ(schedule.startsBy(50), 120'000);
  EXPECT_DOUBLE_EQ(schedule.startsBy(1'000), 120'000);
}

TEST(Schedule, finds_the_instant_of_each_start) {
  const Schedule schedule({{10, 1'000}, {0, 200}, {30, 5'000}, {10, 0}}, 0.5);
  for (double seconds = 0.1; seconds < 50; seconds += 0.1) {
    EXPECT_NEAR(schedule.instantOf(schedule.startsBy(seconds)), seconds, 1e-6);
  }
  EXPECT_TRUE(std::isinf(Schedule({{1, 5}, {0, 0}, {1, 0}}, 1).instantOf(1'000)));
}

}  // namespace
}  // namespace tipflow::load
