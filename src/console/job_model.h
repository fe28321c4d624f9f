// Scheduled jobs as the API shows them.
#pragma once

#include <boost/describe.hpp>

#include <optional>
#include <string>
#include <vector>

#include "platform/json.h"
#include "platform/schedule/job_store.h"

namespace tipflow::console {

/// A second to thirty days.
using JobSeconds = Ranged<1, 2'592'000>;

struct ChangeJob {
  std::optional<JobSeconds> everySeconds;
  std::optional<bool> paused;
};
BOOST_DESCRIBE_STRUCT(ChangeJob, (), (everySeconds, paused))

struct ShownRun {
  std::int64_t id = 0;
  std::string node;
  Time startedAt;
  std::optional<Time> endedAt;
  std::int64_t items = 0;
  schedule::RunOutcome outcome = schedule::RunOutcome::running;
  std::optional<std::string> detail;
};
BOOST_DESCRIBE_STRUCT(ShownRun, (), (id, node, startedAt, endedAt, items, outcome, detail))

struct ShownJob {
  std::string name;
  std::string role;
  std::string database;
  std::int64_t everySeconds = 0;
  std::int64_t releaseEverySeconds = 0;
  bool paused = false;
  bool asked = false;  ///< a run out of turn has been asked for and has not begun
  std::optional<std::string> runningOn;
  std::optional<Time> runningSince;
  std::optional<ShownRun> lastRun;
  std::optional<Time> nextDueAt;
};
BOOST_DESCRIBE_STRUCT(ShownJob, (),
                      (name, role, database, everySeconds, releaseEverySeconds, paused, asked,
                       runningOn, runningSince, lastRun, nextDueAt))

struct ShownJobs {
  std::vector<ShownJob> items;
  bool complete = true;  ///< false when the jobs of a database that is away are missing
};
BOOST_DESCRIBE_STRUCT(ShownJobs, (), (items, complete))

/// A job before and after a change.
struct JobChange {
  ShownJob before;
  ShownJob after;
};

}  // namespace tipflow::console
