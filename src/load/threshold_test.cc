#include "load/threshold.h"

#include <gtest/gtest.h>

namespace tipflow::load {
namespace {

RunSummary summaryOf() {
  RunSummary summary;
  summary.measuredUs = 10'000'000;
  auto& tally = summary.tally;
  tally.sent = 1'000;
  tally.created = tally.measured = 990;
  tally.rejected = 10;
  tally.statuses = {{201, 990}, {409, 10}};
  tally.latency.record(Histogram::Value{30'000}, 990);
  tally.service.record(Histogram::Value{5'000}, 990);
  return summary;
}

bool holds(const char* text) {
  const auto threshold = parseThreshold(text);
  EXPECT_TRUE(threshold) << text;
  return threshold && judge(*threshold, summaryOf()).holds;
}

TEST(Threshold, is_judged_in_the_unit_it_is_written_in) {
  EXPECT_TRUE(holds("p99<=30ms"));
  EXPECT_FALSE(holds("p99<30ms"));
  EXPECT_TRUE(holds("p99.9 < 0.5s"));
  EXPECT_TRUE(holds("service.p99<6ms"));
  EXPECT_TRUE(holds("rate>=99"));
  EXPECT_FALSE(holds("rate>99/s"));
  EXPECT_TRUE(holds("errors<=1%"));
  EXPECT_FALSE(holds("errors<0.01"));
  EXPECT_FALSE(holds("failed<=0%"));
  EXPECT_TRUE(holds("dropped<=0%"));
}

TEST(Threshold, is_refused_when_it_is_anything_else) {
  for (const auto* text : {"", "p99", "p99<", "p99<25", "p98<25ms", "errors<0.1ms", "rate>=1ms",
                           "<25ms", "p99=25ms", "p99<<25ms", "service.errors<1%", "p99<-1ms"}) {
    EXPECT_FALSE(parseThreshold(text)) << text;
  }
}

TEST(Threshold, never_holds_for_a_run_that_measured_nothing) {
  for (const auto* text : {"p99<25ms", "errors<=0%", "rate>=0"}) {
    EXPECT_FALSE(judge(*parseThreshold(text), RunSummary{}).holds) << text;
  }
}

TEST(Threshold, says_what_it_asked_for_and_what_was_seen) {
  EXPECT_EQ(describe(judge(*parseThreshold("p99<25ms"), summaryOf())), "p99<25ms: 30.00 ms");
  EXPECT_EQ(describe(judge(*parseThreshold("errors<1%"), summaryOf())), "errors<1%: 1 %");
}

}  // namespace
}  // namespace tipflow::load
