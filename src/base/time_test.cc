#include "base/time.h"

#include <gtest/gtest.h>

#include <string>

#include "base/random.h"

namespace tipflow {
namespace {

// 2026-01-31T08:30:00Z, counted by hand: 20,484 days, 8.5 hours.
constexpr Time kMorning{20'484 * kUsPerDay + 17 * kUsPerHour / 2};

TEST(Time, is_shown_as_utc_with_milliseconds_that_are_cut_not_rounded) {
  EXPECT_EQ(formatTime(Time{0}), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(formatTime(kMorning), "2026-01-31T08:30:00.000Z");
  EXPECT_EQ(formatTime(kMorning + Duration{125'999}), "2026-01-31T08:30:00.125Z");
  EXPECT_EQ(formatTime(kMorning + Duration{999'999}), "2026-01-31T08:30:00.999Z");
}

TEST(Time, reads_what_it_shows) {
  SeededRandom random(7);
  const auto end = static_cast<std::uint64_t>(parseTime("9999-12-31T23:59:59.999Z")->us);
  for (int i = 0; i < 2'000; ++i) {
    const Time time{static_cast<std::int64_t>(random.below(end)) / kUsPerMs * kUsPerMs};
    EXPECT_EQ(parseTime(formatTime(time)), time) << formatTime(time);
  }
}

TEST(Time, reads_any_offset_as_the_same_instant) {
  for (const auto* text : {"2026-01-31T08:30:00Z", "2026-01-31t08:30:00z", "2026-01-31 08:30:00Z",
                           "2026-01-31T16:30:00+08:00", "2026-01-31T03:00:00.000-05:30",
                           "2026-02-01T08:29:00+23:59", "2026-01-31T08:30:00-00:00"}) {
    EXPECT_EQ(parseTime(text), kMorning) << text;
  }
}

TEST(Time, reads_up_to_nine_fractional_digits_and_cuts_them_to_microseconds) {
  EXPECT_EQ(parseTime("2026-01-31T08:30:00.1Z"), kMorning + Duration{100'000});
  EXPECT_EQ(parseTime("2026-01-31T08:30:00.000001Z"), kMorning + Duration{1});
  EXPECT_EQ(parseTime("2026-01-31T08:30:00.1234569Z"), kMorning + Duration{123'456});
  EXPECT_EQ(parseTime("2026-01-31T08:30:00.999999999Z"), kMorning + Duration{999'999});
  EXPECT_FALSE(parseTime("2026-01-31T08:30:00.1234567890Z"));
}

TEST(Time, ends_with_the_last_instant_that_has_a_year_of_four_digits) {
  const auto last = parseTime("9999-12-31T23:59:59.999999Z");
  ASSERT_TRUE(last);
  EXPECT_EQ(formatTime(*last), "9999-12-31T23:59:59.999Z");
  EXPECT_EQ(parseTime("9999-12-31T22:59:59.999999-01:00"), last);
  EXPECT_FALSE(parseTime("9999-12-31T23:00:00-01:00"));
}

TEST(Time, knows_leap_years) {
  EXPECT_TRUE(parseTime("2024-02-29T00:00:00Z"));
  EXPECT_TRUE(parseTime("2000-02-29T00:00:00Z"));
  EXPECT_FALSE(parseTime("2026-02-29T00:00:00Z"));
  EXPECT_FALSE(parseTime("2100-02-29T00:00:00Z"));
}

TEST(Time, refuses_what_is_not_an_instant) {
  for (const auto* text : {"",
                           "now",
                           "2026-01-31",
                           "2026-01-31T08:30Z",
                           "2026-01-31T08:30:00",
                           "2026-01-31T08:30:00.Z",
                           "2026-1-31T08:30:00Z",
                           "2026-00-10T08:30:00Z",
                           "2026-13-01T08:30:00Z",
                           "2026-04-31T08:30:00Z",
                           "2026-01-00T08:30:00Z",
                           "2026-01-31T24:00:00Z",
                           "2026-01-31T08:60:00Z",
                           "2026-01-31T08:30:60Z",
                           "2026-01-31T08:30:00+24:00",
                           "2026-01-31T08:30:00+08:60",
                           "2026-01-31T08:30:00+0800",
                           "2026-01-31T08:30:00Z ",
                           " 2026-01-31T08:30:00Z",
                           "2026-01-31T08:30:00ZZ",
                           "+026-01-31T08:30:00Z",
                           "-026-01-31T08:30:00Z",
                           "2026--1-31T08:30:00Z",
                           "2026-01-31T-8:30:00Z",
                           "1969-12-31T23:59:59Z",
                           "1970-01-01T00:00:00+00:01",
                           "9999-12-31T23:59:59-00:01",
                           "12026-01-31T08:30:00Z"}) {
    EXPECT_FALSE(parseTime(text)) << text;
  }
}

TEST(Time, an_hour_holds_its_first_instant_and_not_the_next_hours) {
  const Time hour{20'484 * kUsPerDay + 8 * kUsPerHour};
  EXPECT_EQ(startOfHour(hour), hour);
  EXPECT_EQ(startOfHour(hour + Duration{kUsPerHour - 1}), hour);
  EXPECT_EQ(startOfHour(hour + Duration{kUsPerHour}), hour + Duration{kUsPerHour});
  EXPECT_EQ(startOfHour(hour - Duration{1}), hour - Duration{kUsPerHour});
}

TEST(Time, moves_up_to_the_next_whole_millisecond_only_when_it_is_not_on_one) {
  EXPECT_EQ(roundUpToMs(kMorning), kMorning);
  EXPECT_EQ(roundUpToMs(kMorning + Duration{1}), kMorning + Duration{1'000});
  EXPECT_EQ(roundUpToMs(kMorning + Duration{999}), kMorning + Duration{1'000});
  EXPECT_EQ(roundUpToMs(kMorning + Duration{1'000}), kMorning + Duration{1'000});
}

TEST(ManualClock, stands_until_it_is_moved) {
  ManualClock clock(kMorning);
  EXPECT_EQ(clock.now(), kMorning);
  clock.advance(Duration{5});
  EXPECT_EQ(clock.now() - kMorning, Duration{5});
  clock.set(kMorning);
  EXPECT_EQ(clock.now(), kMorning);
}

TEST(SystemClock, is_in_this_century) {
  const Time now = SystemClock{}.now();
  EXPECT_GT(now, *parseTime("2025-01-01T00:00:00Z"));
  EXPECT_LT(now, *parseTime("2100-01-01T00:00:00Z"));
}

}  // namespace
}  // namespace tipflow
