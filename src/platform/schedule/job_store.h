// The tables of the jobs, the same in both databases: each role keeps its jobs where its data is,
// so that a result and the lease it was worked out under are judged in one transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/enums.h"
#include "platform/db/connection.h"
#include "platform/schedule/lease.h"

namespace tipflow::schedule {

enum class RunOutcome { running = 0, succeeded = 1, failed = 2, takenOver = 3 };

/// A job as the database has it; times are by the database's clock.
struct JobRow {
  std::string name;
  Duration every{};  ///< 0: as the release has it
  bool paused = false;
  Time askedAt{};  ///< 0: nobody asked for a run out of turn
  Time dueAt{};
  LeaseRow lease;  ///< no holder: nobody runs it
};

/// One run, for people.
struct JobRun {
  std::int64_t id = 0;
  std::string name;
  std::string node;
  Time startedAt;
  std::optional<Time> endedAt;
  std::int64_t items = 0;
  RunOutcome outcome = RunOutcome::running;
  std::string detail;
};

/// A lease that was just taken, and the run that was noted with it.
struct Taken {
  Epoch epoch = 0;
  std::int64_t run = 0;
};

/// The result was worked out under a lease that somebody else has taken since: nothing of it may be
/// written (invariant I11).
class LeaseLost : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

namespace store {

/// Whether the job is to be run now: asked for, due, or left by a node that died at it.
[[nodiscard]] bool isDue(const JobRow& job, Time now);

/// Makes the job known; leaves one that is known as it is.
void addJob(db::Connection& connection, const std::string& name);
std::vector<JobRow> jobs(db::Connection& connection);
/// Takes the lease for `holder` if the job is due and nobody holds it; in a transaction of its own.
/// `every`: of the release.
std::optional<Taken> take(db::Connection& connection, const std::string& name,
                          const std::string& holder, Duration every, Duration length);
/// False when it is not ours any more.
bool renew(db::Connection& connection, const std::string& name, Epoch epoch, Duration length);
/// In the transaction that writes a result, before it commits. Throws LeaseLost.
void fence(db::Connection& connection, const std::string& name, Epoch epoch);
/// Notes how the run ended and gives the lease back, unless it is somebody else's by now.
void finish(db::Connection& connection, const std::string& name, const Taken& taken,
            RunOutcome outcome, std::int64_t items, const std::string& detail);

// What operators change; all nodes see it within a second. False when there is no such job.
bool setEvery(db::Connection& connection, const std::string& name, Duration every);
bool setPaused(db::Connection& connection, const std::string& name, bool paused);
bool ask(db::Connection& connection, const std::string& name);
/// Newest first, below the run `before`.
std::vector<JobRun> runs(db::Connection& connection, const std::string& name, std::int64_t before,
                         int limit);

}  // namespace store
}  // namespace tipflow::schedule

template <>
struct tipflow::EnumWords<tipflow::schedule::RunOutcome> {
  using Outcome = schedule::RunOutcome;
  static constexpr std::array values{std::pair{std::string_view{"running"}, Outcome::running},
                                     std::pair{std::string_view{"succeeded"}, Outcome::succeeded},
                                     std::pair{std::string_view{"failed"}, Outcome::failed},
                                     std::pair{std::string_view{"taken_over"}, Outcome::takenOver}};
};
