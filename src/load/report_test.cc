#include "load/report.h"

#include <gtest/gtest.h>

namespace tipflow::load {
namespace {

RunSummary fineRun() {
  RunSummary summary;
  summary.tally.created = 1'234'567;
  summary.tally.measured = 1'234'567;
  summary.tally.latency.record(Histogram::Value{1'500});
  summary.measuredUs = 10'000'000;
  summary.tally.sent = 1'234'567;
  summary.tally.service.record(Histogram::Value{700});
  summary.findings = Findings{.there = 1'234'567};
  summary.verified = Verify::all;
  return summary;
}

Settings settings() { return {.options = {}, .stages = {}, .seconds = 10}; }

TEST(Report, of_a_fine_run_says_so) {
  const auto summary = fineRun();
  auto asked = settings();
  asked.options.rate = 123'456;
  EXPECT_EQ(exitCode(asked, summary), kLoadFine);
  const auto text = report(asked, summary);
  for (const auto* part :
       {"1,234,567", "123,457", "asked for 123456", "1.50", "Every acknowledged tip is there."}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
  }
}

TEST(Report, is_not_fine_when_anything_acknowledged_is_not_certainly_there) {
  for (const auto count : {&Findings::missing, &Findings::different, &Findings::unchecked}) {
    auto summary = fineRun();
    (*summary.findings).*count = 1;
    EXPECT_EQ(exitCode(settings(), summary), kLoadBroken);
    EXPECT_EQ(report(settings(), summary).find("Every acknowledged tip"), std::string::npos);
  }
}

TEST(Report, is_not_fine_when_an_outcome_is_unknown_or_cannot_be) {
  for (const auto count : {&Tally::unknown, &Tally::conflicts}) {
    auto summary = fineRun();
    summary.tally.*count = 1;
    EXPECT_EQ(exitCode(settings(), summary), kLoadBroken);
  }
  auto cutShort = fineRun();
  cutShort.open = 1;
  EXPECT_EQ(exitCode(settings(), cutShort), kLoadBroken);
  auto notLookedUp = fineRun();
  notLookedUp.findings.reset();
  EXPECT_EQ(exitCode(settings(), notLookedUp), kLoadFine);
  notLookedUp.tally.doubtful = 1;
  EXPECT_EQ(exitCode(settings(), notLookedUp), kLoadBroken);
}

TEST(Report, takes_refusals_rejections_and_dropped_starts_as_answers_not_as_faults) {
  auto summary = fineRun();
  summary.tally.rejected = summary.tally.unavailable = summary.tally.dropped = 5;
  summary.tally.rejections["409 room_not_live"] = 5;
  EXPECT_EQ(exitCode(settings(), summary), kLoadFine);
  EXPECT_NE(report(settings(), summary).find("409 room_not_live"), std::string::npos);
}

TEST(Report, is_not_fine_when_nothing_was_acknowledged) {
  RunSummary summary;
  summary.tally.sent = summary.tally.rejected = 5;
  summary.findings.emplace();
  EXPECT_EQ(exitCode(settings(), summary), kLoadBroken);
  EXPECT_NE(report(settings(), summary).find("no tip was acknowledged"), std::string::npos);
}

TEST(Report, compares_sums_and_says_which_way_they_differ) {
  auto summary = fineRun();
  summary.sums = SumFindings{
      .rooms = {.outcome = SumOutcome::equal, .acknowledged = {2, 700}, .held = {0, 700}},
      .books = {}};
  EXPECT_EQ(exitCode(settings(), summary), kLoadFine);
  EXPECT_NE(report(settings(), summary).find("sum of acknowledged = sum in the rooms: 700 fen"),
            std::string::npos);
  summary.sums->rooms.outcome = SumOutcome::less;
  EXPECT_EQ(exitCode(settings(), summary), kLoadBroken);
  summary.sums->rooms.outcome = SumOutcome::more;
  EXPECT_EQ(exitCode(settings(), summary), kLoadFine) << "others may have tipped";
  auto alone = settings();
  alone.options.alone = true;
  EXPECT_EQ(exitCode(alone, summary), kLoadBroken);
}

TEST(Report, tells_a_missed_threshold_from_wrong_books) {
  auto asked = settings();
  asked.options.thresholds = {"p99<25ms", "rate>=200000"};
  auto summary = fineRun();
  EXPECT_EQ(exitCode(asked, summary), kLoadThreshold);
  const auto text = report(asked, summary);
  EXPECT_NE(text.find("holds   p99<25ms: 1.50 ms"), std::string::npos) << text;
  EXPECT_NE(text.find("FAILED  rate>=200000: 123457/s"), std::string::npos) << text;
  summary.findings->missing = 1;
  EXPECT_EQ(exitCode(asked, summary), kLoadBroken);
}

TEST(Report, draws_its_curve_as_far_as_there_are_values) {
  Histogram times;
  EXPECT_TRUE(percentileCurve(times).empty());
  for (int ms = 1; ms <= 1'000; ++ms) times.record(Histogram::Value{ms * 1'000});
  const auto curve = percentileCurve(times);
  EXPECT_EQ(curve.front().percent, 0);
  EXPECT_NEAR(curve.front().ms, 1, 0.01);
  EXPECT_EQ(curve.back().percent, 100);
  EXPECT_NEAR(curve.back().ms, 1'000, 0.01);
  for (std::size_t i = 1; i < curve.size(); ++i) EXPECT_GE(curve[i].ms, curve[i - 1].ms);
  EXPECT_GT(curve[curve.size() - 2].percent, 99.8);
}

TEST(Report, shows_the_last_second_while_the_run_goes_on) {
  Tally total;
  total.created = 12'000;
  Tally recent;
  recent.created = 500;
  recent.latency.record(Histogram::Value{2'000});
  const auto line =
      progressLine({.elapsedUs = 24'000'000, .recentUs = 1'000'000, .open = 3}, total, recent);
  EXPECT_EQ(line,
            "  24 s      500/s  created 12,000  exists 0  errors 0  open 3"
            "  p50 2.0 ms  p99 2.0 ms");
}

}  // namespace
}  // namespace tipflow::load
