#include "load/watch/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "load/load.h"

namespace tipflow::load::watch {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A run in which all went well.
WatchSummary fine() {
  WatchSummary summary;
  summary.open = 100;
  summary.findings.viewers = 100;
  summary.findings.openAtEnd = 100;
  summary.findings.whole = 100;
  summary.tipsSent = summary.tipsAcknowledged = 10;
  summary.timed = {.seconds = 2, .deliveries = 1'000};
  summary.burst = {.seconds = 4, .deliveries = 4'000};
  summary.serversBefore = {10, 1};
  summary.serversOpen = {11, 2};
  summary.serversAfter = {11, 5};
  for (int i = 1; i <= 100; ++i) summary.seen.record(std::chrono::milliseconds(i));
  return summary;
}

TEST(WatchSummary, of_a_run_in_which_all_went_well_is_fine) {
  EXPECT_THAT(faultsOf(fine()), IsEmpty());
  EXPECT_EQ(exitCode({}, fine()), kLoadFine);
}

TEST(WatchSummary, names_whatever_is_wrong) {
  const auto broken = [](const std::function<void(WatchSummary&)>& breakIt) {
    auto summary = fine();
    breakIt(summary);
    return exitCode({}, summary);
  };
  EXPECT_EQ(broken([](auto& s) { s.open = 99; }), kLoadBroken);
  EXPECT_EQ(broken([](auto& s) { s.findings.wrongSums = 1; }), kLoadBroken);
  EXPECT_EQ(broken([](auto& s) { s.findings.gaps = 1; }), kLoadBroken);
  EXPECT_EQ(broken([](auto& s) { s.findings.repeats = 1; }), kLoadBroken);
  EXPECT_EQ(broken([](auto& s) { s.findings.unreadable = 1; }), kLoadBroken);
  EXPECT_EQ(broken([](auto& s) { s.findings.dropped = 1; }), kLoadBroken);
  EXPECT_EQ(broken([](auto& s) { s.findings.whole = 0; }), kLoadBroken);
  EXPECT_EQ(broken([](auto& s) { s.tipsRefused = 1; }), kLoadBroken);
  EXPECT_EQ(broken([](auto& s) { s.tipsInDoubt = 1; }), kLoadBroken);
  EXPECT_EQ(broken([](auto& s) { s.tipsSent = s.tipsAcknowledged = 0; }), kLoadBroken);
  auto summary = fine();
  summary.findings.wrongSums = 3;
  summary.findings.shortSums = 2;
  EXPECT_THAT(faultsOf(summary),
              ElementsAre("3 viewers saw another sum than was acknowledged, 2 of them less"));
  summary = fine();
  summary.findings.gaps = 3;
  EXPECT_THAT(faultsOf(summary), ElementsAre("3 times events were missing"));
  EXPECT_THAT(report({}, summary), HasSubstr("WRONG        3 times events were missing"));
}

TEST(WatchSummary, is_judged_by_thresholds) {
  const auto code = [](const std::string& text) {
    WatchOptions options;
    options.thresholds = {text};
    return exitCode(options, fine());
  };
  EXPECT_EQ(code("p99<100ms"), kLoadFine);
  EXPECT_EQ(code("p99<98ms"), kLoadThreshold);
  EXPECT_EQ(code("p99<=0.1s"), kLoadFine);
  EXPECT_EQ(code("deliveries>=500"), kLoadFine);
  EXPECT_EQ(code("deliveries>500"), kLoadThreshold);
  EXPECT_EQ(code("burst>=1000"), kLoadFine);
  EXPECT_EQ(code("burst>1000"), kLoadThreshold);
  EXPECT_EQ(code("memory<=10.24"), kLoadFine);
  EXPECT_EQ(code("memory<10"), kLoadThreshold);
  EXPECT_EQ(code("open>=100"), kLoadFine);
}

TEST(Bounds, that_say_nothing_are_refused) {
  for (const auto* text : {"", "p99", "p99=5", "p98<5", "p99<", "p99<5m", "p99<x", "<5"}) {
    EXPECT_FALSE(parseBound(text)) << text;
  }
}

TEST(WatchReport, for_machines_is_json_with_the_figures) {
  const auto json = boost::json::parse(reportJson({}, fine())).as_object();
  EXPECT_EQ(json.at("exitCode").as_int64(), 0);
  EXPECT_EQ(json.at("viewers").at("open").as_int64(), 100);
  EXPECT_EQ(json.at("traffic").at("deliveriesPerSecond").to_number<double>(), 500);
  EXPECT_EQ(json.at("burst").at("deliveriesPerSecond").to_number<double>(), 1'000);
  EXPECT_EQ(json.at("seen").at("maxMs").to_number<double>(), 100);
  EXPECT_DOUBLE_EQ(json.at("servers").at("memoryPerViewerKiB").to_number<double>(), 10.24);
}

TEST(WatchFindings, pass_through_a_pipe_and_add_up) {
  Findings findings;
  findings.viewers = 5;
  findings.repeats = 2;
  findings.shortSums = 3;
  findings.unreadable = 7;
  findings.framesRead = 9;
  findings.refusals = {{"connection closed by the server", 3}, {"503", 4}};
  findings.byes = {{"drain", 1}};
  findings.latencies = {{std::chrono::microseconds(5), 6}};
  auto read = decodeFindings(encode(findings));
  EXPECT_EQ(encode(read), encode(findings));
  EXPECT_EQ(read.refusals, findings.refusals);
  read.add(findings);
  EXPECT_EQ(read.viewers, 10U);
  EXPECT_EQ(read.refusals.at("503"), 8U);
  const auto text = encode(findings);
  for (std::size_t cut = 0; cut < text.size(); ++cut) {
    EXPECT_THROW((void)decodeFindings(text.substr(0, cut)), std::runtime_error) << cut;
  }
}

}  // namespace
}  // namespace tipflow::load::watch
