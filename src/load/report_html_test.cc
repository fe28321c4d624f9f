#include "load/report_html.h"

#include <gtest/gtest.h>

#include <string>

#include "load/chart.h"

namespace tipflow::load {
namespace {

RunSummary hourLong() {
  RunSummary summary;
  summary.measuredUs = 3'600'000'000;
  for (int second = 1; second <= 3'600; ++second) {
    summary.series.push_back({.atSeconds = static_cast<double>(second),
                              .intendedPerSecond = 100,
                              .perSecond = 100,
                              .p50Ms = 1,
                              .p99Ms = second == 1'800 ? 777.0 : 5.0,
                              .maxMs = 900,
                              .serviceP99Ms = 4});
  }
  summary.tally.created = 360'000;
  summary.tally.rejections["409 <b>&"] = 3;
  return summary;
}

TEST(ReportHtml, needs_nothing_but_itself) {
  const auto page = reportHtml({.options = {}, .stages = {}, .seconds = 10}, hourLong(), 0);
  for (const auto* outside : {"<script", "<link", "@import", "src=", "url("}) {
    EXPECT_EQ(page.find(outside), std::string::npos) << outside;
  }
  EXPECT_NE(page.find("prefers-color-scheme:dark"), std::string::npos);
  EXPECT_NE(page.find("All checks hold"), std::string::npos);
}

TEST(ReportHtml, shows_the_worst_second_of_a_run_too_long_for_its_pixels) {
  const auto page = reportHtml({.options = {}, .stages = {}, .seconds = 10}, hourLong(), 0);
  EXPECT_NE(page.find("<td>777</td>"), std::string::npos);
  EXPECT_LT(page.size(), 300'000U);
}

TEST(ReportHtml, takes_what_a_server_says_as_text) {
  const auto page = reportHtml({.options = {}, .stages = {}, .seconds = 10}, hourLong(), 1);
  EXPECT_EQ(page.find("<b>&3"), std::string::npos);
  EXPECT_NE(page.find("409 &lt;b&gt;&amp;"), std::string::npos);
  EXPECT_NE(page.find("Not fine"), std::string::npos);
}

TEST(ReportHtml, of_a_run_without_answers_says_so) {
  const auto page = reportHtml({.options = {}, .stages = {}, .seconds = 10}, RunSummary{}, 2);
  EXPECT_NE(page.find("Nothing was measured."), std::string::npos);
}

TEST(Chart, has_round_ticks_around_its_values) {
  const auto rounded = roundTicks(23'400, 5);
  EXPECT_EQ(rounded.front().at, 0);
  EXPECT_EQ(rounded[1].label, "5k");
  EXPECT_EQ(rounded.back().label, "25k");
  const auto powers = logarithmicTicks(0.3, 40);
  EXPECT_LE(powers.front().at, 0.3);
  EXPECT_GE(powers.back().at, 40);
}

}  // namespace
}  // namespace tipflow::load
