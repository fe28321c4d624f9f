#include "platform/metrics.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace tipflow {
namespace {

TEST(Metrics, are_shown_as_text_with_help_and_labels) {
  Metrics metrics;
  metrics.counter("tips_total", "Tips accepted.", {{"lane", "1"}}).Increment(3);
  auto& lag = metrics.gauge("lag_tips", "Tips on their way.");
  metrics.histogram("commit_seconds", "Commits.", {0.1, 1}).Observe(0.5);
  metrics.beforeCollect([&] { lag.Set(7); });
  const auto text = metrics.text();
  for (const auto* line :
       {"# HELP tips_total Tips accepted.", "# TYPE tips_total counter", "tips_total{lane=\"1\"} 3",
        "lag_tips 7", "commit_seconds_bucket{le=\"0.1\"} 0", "commit_seconds_bucket{le=\"1\"} 1",
        "commit_seconds_count 1"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "\nin\n" << text;
  }
}

TEST(Metrics, of_the_same_name_and_labels_are_the_same) {
  Metrics metrics;
  metrics.counter("tips_total", "Tips.", {{"lane", "1"}}).Increment();
  metrics.counter("tips_total", "Tips.", {{"lane", "1"}}).Increment();
  metrics.counter("tips_total", "Tips.", {{"lane", "2"}}).Increment();
  const auto text = metrics.text();
  EXPECT_NE(text.find("tips_total{lane=\"1\"} 2"), std::string::npos) << text;
  EXPECT_NE(text.find("tips_total{lane=\"2\"} 1"), std::string::npos) << text;
}

TEST(Metrics, latency_bounds_ascend) {
  const auto& bounds = latencyBounds();
  EXPECT_TRUE(std::is_sorted(bounds.begin(), bounds.end()));
  EXPECT_EQ(std::adjacent_find(bounds.begin(), bounds.end()), bounds.end());
}

TEST(Metrics, of_a_cache_count_hits_and_misses) {
  Metrics metrics;
  const auto counters = metrics.cache("rooms");
  counters.hit();
  counters.hit();
  counters.miss();
  const auto text = metrics.text();
  EXPECT_NE(text.find("tipflow_cache_hits_total{cache=\"rooms\"} 2"), std::string::npos) << text;
  EXPECT_NE(text.find("tipflow_cache_misses_total{cache=\"rooms\"} 1"), std::string::npos) << text;
  CacheCounters{}.hit();  // counts nothing, and may be asked to
}

}  // namespace
}  // namespace tipflow
