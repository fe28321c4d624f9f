#include "platform/business_time.h"

#include <gtest/gtest.h>

namespace tipflow {
namespace {

TEST(BusinessTime, a_day_begins_at_midnight_of_the_business_zone) {
  const BusinessTime shanghai("Asia/Shanghai");
  EXPECT_EQ(shanghai.dayOf(*parseTime("2026-01-30T15:59:59.999Z")), "2026-01-30");
  EXPECT_EQ(shanghai.dayOf(*parseTime("2026-01-30T16:00:00.000Z")), "2026-01-31");
}

TEST(BusinessTime, refuses_a_zone_that_is_not_known_here) {
  for (const auto* zone : {"", "Mars/Olympus", "../../../etc/passwd", "Asia"}) {
    EXPECT_THROW(BusinessTime{zone}, std::invalid_argument) << zone;
  }
}

TEST(BusinessTime, knows_the_hour_of_the_day_and_where_a_day_begins) {
  const BusinessTime shanghai("Asia/Shanghai");
  const Time evening{*parseTime("2026-01-31T15:59:59Z")};
  EXPECT_EQ(formatDay(shanghai.localHour(evening).day), "2026-01-31");
  EXPECT_EQ(shanghai.localHour(evening).hour, 23);
  const auto day = shanghai.localHour(evening + Duration{kUsPerSecond}).day;
  EXPECT_EQ(formatDay(day), "2026-02-01");
  EXPECT_EQ(formatTime(shanghai.firstHourOf(day)), "2026-01-31T16:00:00.000Z");
}

TEST(BusinessTime, cuts_days_at_whole_UTC_hours_also_where_the_zone_does_not) {
  const BusinessTime kolkata("Asia/Kolkata");  // midnight is 18:30 UTC
  const auto day = kolkata.localHour(*parseTime("2026-03-02T00:00:00Z")).day;
  EXPECT_EQ(formatTime(kolkata.firstHourOf(day)), "2026-03-01T19:00:00.000Z");
}

TEST(BusinessTime, stands_a_day_that_a_zone_has_left_out) {
  const BusinessTime apia("Pacific/Apia");  // there was no 30th of December 2011
  const auto missing = apia.localHour(*parseTime("2011-12-29T12:00:00Z")).day + 1;
  EXPECT_EQ(apia.firstHourOf(missing), apia.firstHourOf(missing + 1));
}

}  // namespace
}  // namespace tipflow
