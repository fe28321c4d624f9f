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

}  // namespace
}  // namespace tipflow
