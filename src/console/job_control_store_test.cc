// Operators and the jobs of both databases.
#include "console/job_control.h"

#include <gmock/gmock.h>

#include "platform/schedule/job_store.h"
#include "store/database.h"

namespace tipflow::console {
namespace {

using drogon::sync_wait;
using ::testing::ElementsAre;
using ::testing::SizeIs;

constexpr Duration kMinute{60 * kUsPerSecond};

/// What a service answers when it is not refused.
template <class T>
T good(drogon::Task<Result<T>> asked) {
  auto answer = sync_wait(asked);
  if (!answer) throw std::logic_error("refused");
  return *std::move(answer);
}

class JobControlStore : public ::testing::TestWithParam<fixture::Engine> {
 protected:
  void SetUp() override {
    schedule::store::addJob(*c1, {"top_viewers", "audience", kMinute});
    schedule::store::addJob(*c2, {"portrait_round", "analysis", kMinute});
  }
  static std::vector<std::string> namesOf(const ShownJobs& jobs) {
    std::vector<std::string> names;
    for (const auto& job : jobs.items) names.push_back(job.name + " in " + job.database);
    return names;
  }

  fixture::TestDatabase first{GetParam(), "db1"};
  fixture::TestDatabase second{GetParam(), "db2"};
  std::unique_ptr<db::Connection> c1 = first.connect();
  std::unique_ptr<db::Connection> c2 = second.connect();
  db::Database db1{"DB1", first.url(), {1}};
  db::Database db2{"DB2", second.url(), {1}};
  JobControl jobs{&db1, db2};
};
TIPFLOW_ON_BOTH(JobControlStore);

TEST_P(JobControlStore, shows_the_jobs_of_both_databases_by_name) {
  const auto all = sync_wait(jobs.list());
  EXPECT_THAT(namesOf(all), ElementsAre("portrait_round in DB2", "top_viewers in DB1"));
  EXPECT_TRUE(all.complete);
  EXPECT_EQ(all.items[1].role, "audience");
  EXPECT_EQ(all.items[1].everySeconds, 60);
}

TEST_P(JobControlStore, says_when_a_database_is_missing) {
  JobControl half(nullptr, db2);
  const auto all = sync_wait(half.list());
  EXPECT_THAT(namesOf(all), ElementsAre("portrait_round in DB2"));
  EXPECT_FALSE(all.complete);
  EXPECT_THROW(sync_wait(half.runNow("top_viewers")), db::Unavailable) << "it may well be there";
}

TEST_P(JobControlStore, changes_what_is_named_and_tells_what_was) {
  ChangeJob change;
  change.everySeconds = JobSeconds{5};
  const auto faster = good(jobs.change("top_viewers", change));
  EXPECT_EQ(faster.before.everySeconds, 60);
  EXPECT_EQ(faster.after.everySeconds, 5);
  EXPECT_EQ(faster.after.releaseEverySeconds, 60);
  EXPECT_FALSE(faster.after.paused);
  ChangeJob pause;
  pause.paused = true;
  const auto paused = good(jobs.change("top_viewers", pause));
  EXPECT_TRUE(paused.after.paused);
  EXPECT_EQ(paused.after.everySeconds, 5);
  EXPECT_EQ(paused.after.nextDueAt, std::nullopt);
}

TEST_P(JobControlStore, asks_for_a_run) {
  EXPECT_TRUE(good(jobs.runNow("portrait_round")).asked);
  const auto taken =
      schedule::store::take(*c2, "portrait_round", {"node-a", "process-a"}, kMinute).value();
  auto job = sync_wait(jobs.list()).items[0];
  EXPECT_FALSE(job.asked);
  EXPECT_EQ(job.runningOn, "node-a");
  schedule::store::finish(*c2, "portrait_round", taken, {schedule::RunOutcome::failed, 3, "why"});
  job = sync_wait(jobs.list()).items[0];
  EXPECT_EQ(job.runningOn, std::nullopt);
  EXPECT_EQ(job.lastRun->outcome, schedule::RunOutcome::failed);
  EXPECT_EQ(job.lastRun->detail, "why");
  EXPECT_EQ(job.lastRun->items, 3);
}

TEST_P(JobControlStore, pages_through_the_runs_newest_first) {
  for (int i = 0; i < 3; ++i) {
    schedule::store::ask(*c1, "top_viewers");
    const auto taken =
        schedule::store::take(*c1, "top_viewers", {"node-a", "process-a"}, kMinute).value();
    schedule::store::finish(*c1, "top_viewers", taken, {schedule::RunOutcome::succeeded, i, ""});
  }
  const auto newest = good(jobs.runs("top_viewers", kIdEnd, 2));
  ASSERT_THAT(newest.items, SizeIs(2));
  EXPECT_EQ(newest.items[0].items, 2);
  EXPECT_EQ(newest.items[1].items, 1);
  EXPECT_TRUE(newest.nextPageToken);
  const auto rest = good(jobs.runs("top_viewers", newest.items[1].id, 2));
  ASSERT_THAT(rest.items, SizeIs(1));
  EXPECT_FALSE(rest.nextPageToken);
}

TEST_P(JobControlStore, knows_no_other_jobs) {
  EXPECT_EQ(sync_wait(jobs.runNow("no_such_job")).error().code, ErrorCode::job_not_found);
  EXPECT_EQ(sync_wait(jobs.change("no_such_job", {})).error().code, ErrorCode::job_not_found);
  EXPECT_EQ(sync_wait(jobs.runs("no_such_job", kIdEnd, 5)).error().code, ErrorCode::job_not_found);
}

}  // namespace
}  // namespace tipflow::console
