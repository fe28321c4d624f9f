// Recurring jobs on both databases: one node at a time, another when that one dies, and nothing is
// written under a lease that was lost (invariant I11).
#include "platform/schedule/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/database.h"

namespace tipflow::schedule {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr Duration kHour{3'600 * kUsPerSecond};
constexpr Duration kLease{10 * kUsPerSecond};
constexpr Duration kShort{1'000};
constexpr const char* kJob = "count_things";

class SchedulerStore : public ::testing::TestWithParam<fixture::Engine> {
 protected:
  void SetUp() override { store::addJob(*c, {kJob, "finance", kHour}); }

  std::optional<Taken> take(const std::string& node, Duration length = kLease) {
    return store::take(*c, kJob, {node, "process of " + node}, length);
  }
  void finish(const Taken& taken) {
    store::finish(*c, kJob, taken, {RunOutcome::succeeded, 7, ""});
  }
  /// Whether a result worked out under `epoch` is written.
  bool writes(Epoch epoch) {
    try {
      db::transact(*c, [&](db::Connection& connection) {
        connection.exec("UPDATE job SET every_ms = every_ms + 1 WHERE name = ?", {kJob});
        store::fence(connection, kJob, epoch);
      });
      return true;
    } catch (const LeaseLost&) {
      return false;
    }
  }

  fixture::TestDatabase database{GetParam(), "db2"};
  std::unique_ptr<db::Connection> c = database.connect();
};
TIPFLOW_ON_BOTH(SchedulerStore);

TEST_P(SchedulerStore, a_job_is_run_by_one_node_and_then_not_before_it_is_due) {
  const auto first = take("node-a");
  ASSERT_TRUE(first);
  EXPECT_FALSE(take("node-b"));
  finish(*first);
  EXPECT_FALSE(take("node-b")) << "it is due in an hour";
  const auto runs = store::runs(*c, kJob, kIdEnd, 10);
  ASSERT_THAT(runs, SizeIs(1));
  EXPECT_EQ(runs[0].node, "node-a");
  EXPECT_EQ(runs[0].outcome, RunOutcome::succeeded);
  EXPECT_EQ(runs[0].items, 7);
  EXPECT_TRUE(runs[0].endedAt);
}

TEST_P(SchedulerStore, a_job_that_is_asked_for_is_run_out_of_turn_once_even_when_paused) {
  finish(*take("node-a"));
  ASSERT_TRUE(store::setPaused(*c, kJob, true));
  EXPECT_FALSE(take("node-b"));
  ASSERT_TRUE(store::ask(*c, kJob));
  const auto asked = take("node-b");
  ASSERT_TRUE(asked);
  finish(*asked);
  EXPECT_FALSE(take("node-b"));
}

TEST_P(SchedulerStore, a_shorter_interval_counts_at_once) {
  finish(*take("node-a"));
  ASSERT_TRUE(store::setEvery(*c, kJob, Duration{1'000}));
  EXPECT_TRUE(fixture::eventually([&] { return take("node-b").has_value(); }));
}

TEST_P(SchedulerStore,
       a_job_is_taken_over_when_its_node_dies_and_the_dead_one_writes_nothing_more) {
  const auto dead = take("node-a", kShort);
  ASSERT_TRUE(dead);
  std::optional<Taken> next;
  ASSERT_TRUE(fixture::eventually([&] { return (next = take("node-b")).has_value(); }));
  EXPECT_GT(next->epoch, dead->epoch);
  EXPECT_FALSE(writes(dead->epoch));
  EXPECT_FALSE(store::renew(*c, kJob, dead->epoch, kLease));
  EXPECT_TRUE(writes(next->epoch));
  // The one that woke up says how its run ended; the lease stays with the other.
  store::finish(*c, kJob, *dead, {RunOutcome::takenOver, 0, "woke up late"});
  EXPECT_TRUE(store::renew(*c, kJob, next->epoch, kLease));
  EXPECT_EQ(fixture::number(*c, "SELECT every_ms FROM job"), 1);
}

TEST_P(SchedulerStore, the_run_of_a_node_that_died_is_shown_as_abandoned) {
  const auto dead = take("node-a", kShort);
  ASSERT_TRUE(dead);
  EXPECT_TRUE(fixture::eventually([&] {
    return store::runs(*c, kJob, kIdEnd, 1).front().outcome == RunOutcome::abandoned;
  })) << "its lease is over";
  std::optional<Taken> next;
  ASSERT_TRUE(fixture::eventually([&] { return (next = take("node-b")).has_value(); }));
  const auto runs = store::runs(*c, kJob, kIdEnd, 10);
  ASSERT_THAT(runs, SizeIs(2));
  EXPECT_EQ(runs[0].outcome, RunOutcome::running);
  EXPECT_EQ(runs[1].outcome, RunOutcome::abandoned);
  EXPECT_TRUE(runs[1].endedAt);
}

TEST_P(SchedulerStore, what_was_abandoned_is_due_at_once_and_what_failed_soon) {
  store::finish(*c, kJob, *take("node-a"), {RunOutcome::abandoned, 0, "its node left"});
  const auto again = take("node-b");
  ASSERT_TRUE(again);
  const Time before = c->now();
  store::finish(*c, kJob, *again, {RunOutcome::failed, 0, "no luck"});
  const auto due = store::job(*c, kJob)->dueAt;
  EXPECT_GE(due, before + store::kRetryAfter);
  EXPECT_LE(due, c->now() + store::kRetryAfter);
}

TEST_P(SchedulerStore, keeps_the_newest_runs_of_each_job) {
  const auto* other = "other_job";
  store::addJob(*c, {other, "finance", kHour});
  finish(*take("node-a"));
  const auto runsOf = [&](const std::string& name) {
    return fixture::number(*c, "SELECT COUNT(*) FROM job_run WHERE name = '" + name + "'");
  };
  std::vector<db::Param> values;
  for (int i = 0; i < store::kRunsKept + 20; ++i) {
    values.insert(values.end(), {other, "node", 1, 1, 1, 0, ""});
  }
  c->insertRows("INSERT INTO job_run (name, node, outcome, epoch, started_at, items, detail)", 7,
                values, "");
  const auto taken = store::take(*c, other, {"node-a", "process-a"}, kLease);
  store::finish(*c, other, *taken, {});
  EXPECT_EQ(runsOf(other), store::kRunsKept);
  EXPECT_EQ(store::runs(*c, other, kIdEnd, 1).front().id, taken->run);
  EXPECT_EQ(runsOf(kJob), 1);
}

TEST_P(SchedulerStore, says_of_each_job_who_runs_it_how_it_went_and_when_it_is_due) {
  const auto status = [&] { return store::status(*c, kJob).value(); };
  EXPECT_EQ(status().job.facts.role, "finance");
  EXPECT_FALSE(status().running);
  EXPECT_FALSE(status().last);
  EXPECT_EQ(store::lastSuccess(*c, kJob), std::nullopt);
  finish(*take("node-a"));
  EXPECT_EQ(status().last->node, "node-a");
  EXPECT_EQ(store::lastSuccess(*c, kJob), status().last->startedAt);
  EXPECT_GT(status().dueNext.value(), c->now() + kHour / 2);
  store::setPaused(*c, kJob, true);
  EXPECT_FALSE(status().dueNext);
  store::ask(*c, kJob);
  EXPECT_TRUE(status().dueNext);
  ASSERT_TRUE(take("node-b"));
  EXPECT_EQ(status().running->node, "node-b");
  EXPECT_EQ(status().last->node, "node-a");
}

TEST_P(SchedulerStore, a_release_changes_its_interval_and_not_the_operators) {
  store::setEvery(*c, kJob, Duration{5 * kUsPerSecond});
  store::addJob(*c, {kJob, "finance", Duration{60 * kUsPerSecond}});
  const auto job = store::job(*c, kJob).value();
  EXPECT_EQ(job.facts.every, Duration{60 * kUsPerSecond});
  EXPECT_EQ(job.interval(), Duration{5 * kUsPerSecond});
}

TEST_P(SchedulerStore, a_lease_that_was_given_back_is_not_renewed) {
  const auto own = take("node-a");
  finish(*own);
  EXPECT_FALSE(store::renew(*c, kJob, own->epoch, kLease));
}

TEST_P(SchedulerStore, what_does_not_exist_cannot_be_changed) {
  EXPECT_FALSE(store::ask(*c, "no_such_job"));
  EXPECT_FALSE(store::setPaused(*c, "no_such_job", true));
  EXPECT_FALSE(store::setEvery(*c, "no_such_job", kHour));
  EXPECT_FALSE(store::take(*c, "no_such_job", {"node-a", "process-a"}, kLease));
}

class SchedulerRuns : public SchedulerStore {
 protected:
  /// A node with one job, which does `work`.
  struct Node {
    Node(const std::string& name, db::Database& database, std::function<void(schedule::Run&)> work,
         Duration limit = kHour, Duration lease = Duration{300'000})
        : scheduler({name, "process of " + name}, clock, jobs, {lease, Duration{50'000}}) {
      scheduler.add({kJob, "finance", Duration{10'000}, &database, std::move(work), limit});
      scheduler.start();
    }
    SystemClock clock;
    Metrics metrics;
    Jobs jobs{metrics, clock};
    Scheduler scheduler;
  };
  std::int64_t runsOf(const std::string& node) {
    return fixture::number(*c, "SELECT COUNT(*) FROM job_run WHERE node = '" + node + "'");
  }

  db::Database db{"DB2", database.url(), {1}};
};
TIPFLOW_ON_BOTH(SchedulerRuns);

TEST_P(SchedulerRuns, never_runs_on_two_nodes_at_once_and_goes_on_when_one_leaves) {
  std::atomic<int> inside{0};
  std::atomic<int> together{0};
  const auto work = [&](schedule::Run& run) {
    if (++inside > 1) ++together;
    run.write([](db::Connection& connection) {
      connection.exec("UPDATE job SET every_ms = every_ms WHERE name = ?", {kJob});
    });
    run.add(1);
    --inside;
  };
  // Longer than the machine may keep a thread waiting: a lease that ran out may be taken.
  auto leaving = std::make_unique<Node>("node-a", db, work, kHour, kLease);
  Node staying("node-b", db, work, kHour, kLease);
  ASSERT_TRUE(fixture::eventually([&] { return runsOf("node-a") + runsOf("node-b") >= 6; }));
  leaving.reset();
  const auto before = runsOf("node-b");
  EXPECT_TRUE(fixture::eventually([&] { return runsOf("node-b") >= before + 3; }));
  EXPECT_EQ(together, 0);
}

TEST_P(SchedulerRuns, says_of_a_job_that_failed_why_and_tries_again) {
  const Node node("node-a", db,
                  [](schedule::Run&) { throw std::runtime_error("the abacus broke"); });
  EXPECT_TRUE(fixture::eventually(
      [&] { return fixture::number(*c, "SELECT COUNT(*) FROM job_run WHERE outcome = 2") >= 2; }));
  const auto runs = store::runs(*c, kJob, kIdEnd, 1);
  EXPECT_THAT(runs.front().detail, HasSubstr("abacus"));
}

TEST_P(SchedulerRuns, keeps_the_lease_of_a_job_that_runs_longer_than_it) {
  std::atomic<bool> lost{false};
  std::atomic<bool> over{false};
  const auto work = [&](schedule::Run& run) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(900);
    while (std::chrono::steady_clock::now() < until && !run.shouldStop()) {
      std::this_thread::yield();
    }
    try {
      run.write([](db::Connection&) {});
    } catch (const LeaseLost&) {
      lost = true;
      throw;
    }
    over = true;
  };
  Node one("node-a", db, work);
  Node other("node-b", db, work);
  EXPECT_TRUE(fixture::eventually([&] { return over.load(); }));
  EXPECT_FALSE(lost);
}

TEST_P(SchedulerRuns, gives_up_a_run_that_takes_longer_than_its_job_may) {
  std::atomic<int> written{0};
  const auto work = [&](schedule::Run& run) {
    while (!run.shouldStop()) std::this_thread::yield();
    run.write([&](db::Connection&) { ++written; });
  };
  const Node node("node-a", db, work, Duration{50'000});
  EXPECT_TRUE(fixture::eventually(
      [&] { return fixture::number(*c, "SELECT COUNT(*) FROM job_run WHERE outcome = 2") >= 1; }));
  EXPECT_EQ(written, 0);
  EXPECT_THAT(store::runs(*c, kJob, kIdEnd, 10).back().detail, HasSubstr("took longer"));
}

TEST_P(SchedulerRuns, leaves_a_run_to_the_next_node_when_its_own_is_told_to_leave) {
  std::atomic<bool> begun{false};
  const auto untilToldToStop = [&](schedule::Run& run) {
    begun = true;
    while (!run.shouldStop()) std::this_thread::yield();
  };
  auto leaving = std::make_unique<Node>("node-a", db, untilToldToStop);
  ASSERT_TRUE(fixture::eventually([&] { return begun.load(); }));
  leaving->scheduler.leave();
  leaving.reset();
  EXPECT_EQ(store::runs(*c, kJob, kIdEnd, 1).front().outcome, RunOutcome::abandoned);
  store::setEvery(*c, kJob, kHour);
  const Node staying("node-b", db, [](schedule::Run&) {});
  EXPECT_TRUE(fixture::eventually([&] { return runsOf("node-b") >= 1; }));
}

TEST_P(SchedulerRuns, runs_a_job_that_is_asked_for_within_a_second_though_it_is_due_in_an_hour) {
  const Node node("node-a", db, [](schedule::Run&) {});
  ASSERT_TRUE(fixture::eventually([&] { return runsOf("node-a") >= 1; }));
  store::setEvery(*c, kJob, kHour);
  ASSERT_TRUE(fixture::eventually([&] {
    return store::job(*c, kJob)->dueAt > c->now() + kHour / 2 && !store::status(*c, kJob)->running;
  }));
  const auto before = runsOf("node-a");
  const auto asked = std::chrono::steady_clock::now();
  store::ask(*c, kJob);
  EXPECT_TRUE(fixture::eventually([&] { return runsOf("node-a") == before + 1; }));
  EXPECT_LT(std::chrono::steady_clock::now() - asked, std::chrono::seconds(2));
}

}  // namespace
}  // namespace tipflow::schedule
