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
  summary.findings = Findings{.there = 1'234'567};
  return summary;
}

TEST(Report, of_a_fine_run_says_so) {
  const auto summary = fineRun();
  EXPECT_EQ(exitCode(summary), kLoadFine);
  LoadOptions options;
  options.rate = 123'456;
  const auto text = report(options, summary);
  for (const auto* part :
       {"1,234,567", "123,457", "asked for 123456", "1.50", "Every acknowledged tip is there."}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
  }
}

TEST(Report, is_not_fine_when_anything_acknowledged_is_not_certainly_there) {
  for (const auto count : {&Findings::missing, &Findings::different, &Findings::unchecked}) {
    auto summary = fineRun();
    (*summary.findings).*count = 1;
    EXPECT_EQ(exitCode(summary), kLoadBroken);
    EXPECT_EQ(report({}, summary).find("Every acknowledged tip"), std::string::npos);
  }
}

TEST(Report, is_not_fine_when_an_outcome_is_unknown_or_cannot_be) {
  for (const auto count : {&Tally::unknown, &Tally::conflicts}) {
    auto summary = fineRun();
    summary.tally.*count = 1;
    EXPECT_EQ(exitCode(summary), kLoadBroken);
  }
  auto cutShort = fineRun();
  cutShort.open = 1;
  EXPECT_EQ(exitCode(cutShort), kLoadBroken);
  auto notLookedUp = fineRun();
  notLookedUp.findings.reset();
  EXPECT_EQ(exitCode(notLookedUp), kLoadFine);
  notLookedUp.tally.doubtful = 1;
  EXPECT_EQ(exitCode(notLookedUp), kLoadBroken);
}

TEST(Report, takes_refusals_rejections_and_dropped_starts_as_answers_not_as_faults) {
  auto summary = fineRun();
  summary.tally.rejected = summary.tally.unavailable = summary.tally.dropped = 5;
  summary.tally.rejections["409 room_not_live"] = 5;
  EXPECT_EQ(exitCode(summary), kLoadFine);
  EXPECT_NE(report({}, summary).find("409 room_not_live"), std::string::npos);
}

TEST(Report, shows_the_last_second_while_the_run_goes_on) {
  Tally total;
  total.created = 12'000;
  Tally recent;
  recent.sent = 500;
  recent.latency.record(Histogram::Value{2'000});
  const auto line =
      progressLine({.elapsedUs = 24'000'000, .recentUs = 1'000'000, .open = 3}, total, recent);
  EXPECT_EQ(line,
            "  24 s      500/s  created 12,000  exists 0  rejected 0  errors 0  open 3"
            "  p50 2.0 ms  p99 2.0 ms");
}

}  // namespace
}  // namespace tipflow::load
