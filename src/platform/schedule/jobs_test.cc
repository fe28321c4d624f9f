#include "platform/schedule/jobs.h"

#include <drogon/utils/coroutine.h>
#include <gtest/gtest.h>

namespace tipflow::schedule {
namespace {

constexpr Time kNow{1'770'000'000'000'000};
constexpr Duration kSecond{kUsPerSecond};

struct JobsTest : testing::Test {
  ManualClock clock{kNow};
  Metrics metrics;
  Jobs jobs{metrics, clock};
  Jobs::Job& job = jobs.add("sweep", 10 * kSecond);

  JobState state() { return jobs.states().at(0); }
  void expectShown(const std::string& line) {
    const auto text = metrics.text();
    EXPECT_NE(text.find(line + "\n"), std::string::npos) << line << "\nin\n" << text;
  }
};

TEST_F(JobsTest, start_as_if_they_had_just_been_seen) {
  EXPECT_EQ(state().name, "sweep");
  EXPECT_EQ(state().every, 10 * kSecond);
  EXPECT_EQ(state().lastSeen, kNow);
  expectShown(R"(tipflow_job_last_success_timestamp_seconds{name="sweep"} 0)");
  expectShown(R"(tipflow_job_interval_seconds{name="sweep"} 10)");
}

TEST_F(JobsTest, say_when_they_ended_well_and_how_long_it_took) {
  clock.advance(3 * kSecond);
  job.succeeded(kNow + kSecond);
  EXPECT_EQ(state().lastSeen, kNow + 3 * kSecond);
  expectShown(R"(tipflow_job_runs_total{name="sweep",outcome="succeeded"} 1)");
  expectShown(R"(tipflow_job_last_duration_seconds{name="sweep"} 2)");
  expectShown(R"(tipflow_job_last_success_timestamp_seconds{name="sweep"} 1770000003)");
}

TEST_F(JobsTest, count_failures_until_one_run_ends_well) {
  job.failed(kNow, "first");
  job.failed(kNow, "second");
  EXPECT_EQ(state().failuresInRow, 2);
  EXPECT_EQ(state().lastError, "second");
  job.succeeded(kNow);
  EXPECT_EQ(state().failuresInRow, 0);
  EXPECT_EQ(state().lastError, "");
  expectShown(R"(tipflow_job_runs_total{name="sweep",outcome="failed"} 2)");
}

TEST_F(JobsTest, that_another_node_runs_are_not_late_here) {
  clock.advance(60 * kSecond);
  job.elsewhere();
  EXPECT_EQ(state().lastSeen, kNow + 60 * kSecond);
  expectShown(R"(tipflow_job_runs_total{name="sweep",outcome="succeeded"} 0)");
}

TEST_F(JobsTest, note_how_a_run_ended) {
  const auto run = [&](std::function<drogon::Task<>()> work) {
    std::string role = "test";
    drogon::sync_wait(job.run(std::move(role), std::move(work)));
  };
  run([]() -> drogon::Task<> { co_return; });
  EXPECT_EQ(state().failuresInRow, 0);
  run([]() -> drogon::Task<> {
    throw std::runtime_error("it is broken");
    co_return;
  });
  EXPECT_EQ(state().failuresInRow, 1);
  EXPECT_EQ(state().lastError, "it is broken");
}

TEST_F(JobsTest, may_be_expected_later_than_usual) {
  job.nextIn(50 * kSecond);
  EXPECT_EQ(state().every, 50 * kSecond);
  expectShown(R"(tipflow_job_interval_seconds{name="sweep"} 50)");
}

}  // namespace
}  // namespace tipflow::schedule
