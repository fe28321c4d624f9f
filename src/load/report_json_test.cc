#include "load/report_json.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>

namespace tipflow::load {
namespace {

TEST(ReportJson, is_json_with_the_figures_under_their_names) {
  Settings settings{.options = {}, .stages = {{10, 1'000}}, .seconds = 10};
  settings.options.thresholds = {"p99<25ms"};
  settings.options.url = "http://\"quoted\"\\:80";
  RunSummary summary;
  summary.measuredUs = 10'000'000;
  summary.runUs = 10'000'000;
  summary.tally.sent = summary.tally.created = summary.tally.measured = 500;
  summary.tally.statuses = {{201, 500}};
  summary.tally.latency.record(Histogram::Value{2'500}, 500);
  summary.findings = Findings{.there = 500};
  summary.verified = Verify::all;
  summary.sums = SumFindings{
      .rooms = {.outcome = SumOutcome::equal, .acknowledged = {500, 4'200}, .held = {0, 4'200}},
      .books = {}};
  summary.series.push_back({.atSeconds = 1, .perSecond = 50, .p99Ms = 2.5});

  const auto json = boost::json::parse(reportJson(settings, summary, kLoadFine));
  EXPECT_EQ(json.at("version").as_int64(), 1);
  EXPECT_TRUE(json.at("fine").as_bool());
  EXPECT_EQ(json.at("settings").at("url").as_string(), settings.options.url);
  EXPECT_EQ(json.at("throughput").at("perSecond").to_number<double>(), 50);
  EXPECT_EQ(json.at("latency").at("p99Ms").to_number<double>(), 2.5);
  EXPECT_EQ(json.at("totals").at("created").to_number<int>(), 500);
  EXPECT_EQ(json.at("totals").at("statuses").at(0).at("status").to_number<int>(), 201);
  EXPECT_EQ(json.at("series").at(0).at("p99Ms").to_number<double>(), 2.5);
  EXPECT_TRUE(json.at("series").at(0).at("intendedPerSecond").is_null());
  EXPECT_TRUE(json.at("thresholds").at(0).at("holds").as_bool());
  EXPECT_EQ(json.at("verification").at("mode").as_string(), "all");
  EXPECT_EQ(json.at("verification").at("sums").at("rooms").at("outcome").as_string(), "equal");
  EXPECT_TRUE(json.at("verification").at("sums").at("books").is_null());
  EXPECT_GE(json.at("generator").at("cpuUsPerRequest").to_number<double>(), 0);
}

}  // namespace
}  // namespace tipflow::load
