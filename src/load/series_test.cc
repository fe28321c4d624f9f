#include "load/series.h"

#include <gtest/gtest.h>

namespace tipflow::load {
namespace {

constexpr MonotonicUs kSecond = 1'000'000;

Tally created(std::uint64_t count, std::int64_t latencyUs) {
  Tally tally;
  tally.sent = tally.created = count;
  tally.latency.record(Histogram::Value{latencyUs}, count);
  return tally;
}

TEST(Series, has_a_row_a_second_with_rates_over_the_time_it_really_spans) {
  Series series(Schedule(100), 5 * kSecond, 7 * kSecond);
  EXPECT_FALSE(series.due(5 * kSecond + 999'999));
  EXPECT_TRUE(series.due(6 * kSecond));
  series.add(created(110, 2'000));
  series.close(6 * kSecond + 100'000, 3, 0);
  EXPECT_FALSE(series.due(6 * kSecond + 999'999));
  series.add(created(90, 4'000));
  series.finish(7 * kSecond, 0);

  EXPECT_EQ(series.total().created, 200U);
  const auto rows = series.takeRows();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_DOUBLE_EQ(rows[0].atSeconds, 1.1);
  EXPECT_NEAR(rows[0].perSecond, 100, 1e-9);
  EXPECT_NEAR(*rows[0].intendedPerSecond, 100, 1e-9);
  EXPECT_EQ(rows[0].p99Ms, 2.0);
  EXPECT_EQ(rows[0].open, 3U);
  EXPECT_NEAR(rows[1].perSecond, 100, 1e-9);
  EXPECT_EQ(rows[1].p99Ms, 4.0);
}

TEST(Series, gives_a_short_rest_to_the_last_row_and_intends_nothing_after_the_end) {
  Series series(Schedule(100), 0, kSecond);
  series.add(created(90, 2'000));
  series.close(kSecond, 10, 0);
  series.add(created(10, 9'000));
  series.finish(kSecond + 250'000, 0);
  const auto rows = series.takeRows();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_NEAR(rows[0].perSecond, 80, 1e-9);
  EXPECT_NEAR(*rows[0].intendedPerSecond, 80, 1e-9);
  EXPECT_EQ(rows[0].maxMs, 9.0);
}

TEST(Series, of_a_closed_loop_intends_nothing_and_knows_no_time_without_answers) {
  Series series(std::nullopt, 0, kNever);
  series.close(kSecond, 0, 0);
  const auto rows = series.takeRows();
  EXPECT_EQ(rows[0].intendedPerSecond, std::nullopt);
  EXPECT_EQ(rows[0].p99Ms, std::nullopt);
  EXPECT_EQ(rows[0].perSecond, 0);
}

TEST(Series, tells_what_is_recent_since_it_was_last_asked) {
  Series series(std::nullopt, 0, kNever);
  series.add(created(5, 1));
  series.close(kSecond, 0, 0);
  series.add(created(7, 1));
  series.close(2 * kSecond, 0, 0);
  EXPECT_EQ(series.takeRecent().tally.created, 12U);
  series.add(created(1, 1));
  series.close(3 * kSecond, 0, 0);
  const auto recent = series.takeRecent();
  EXPECT_EQ(recent.tally.created, 1U);
  EXPECT_EQ(recent.spanUs, kSecond);
}

}  // namespace
}  // namespace tipflow::load
