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

enum class RunOutcome {
  running = 0,
  succeeded = 1,
  failed = 2,
  takenOver = 3,  ///< another node had taken it over
  abandoned = 4,  ///< ended before it was done: its node left, died or froze
};

/// What a release says of a job.
struct JobFacts {
  std::string name;
  std::string role;
  Duration every;
};

/// A job as the database has it; times are by the database's clock.
struct JobRow {
  JobFacts facts;
  Duration every{};  ///< as operators want it; 0: as the release has it
  bool paused = false;
  Time askedAt{};  ///< 0: nobody asked for a run out of turn
  Time dueAt{};
  LeaseRow lease;  ///< no holder: nobody runs it

  [[nodiscard]] Duration interval() const { return every > Duration{} ? every : facts.every; }
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

/// A job with what is known of its runs.
struct JobStatus {
  JobRow job;
  std::optional<JobRun> running;
  std::optional<JobRun> last;   ///< the newest that ended
  std::optional<Time> dueNext;  ///< none while it is paused and nobody asked
};

/// Who takes a lease. `process` is new for each process, and so tells it from the one before it.
struct Holder {
  std::string node;
  std::string process;
};

/// A lease that was just taken, and the run that was noted with it.
struct Taken {
  Epoch epoch = 0;
  std::int64_t run = 0;
};

/// How a run ended.
struct RunEnd {
  RunOutcome outcome = RunOutcome::succeeded;
  std::int64_t items = 0;
  std::string detail = {};
};

/// The result was worked out under a lease that somebody else has taken since: nothing of it may be
/// written (invariant I11).
class LeaseLost : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

namespace store {

/// Runs kept of each job; older ones are deleted.
inline constexpr int kRunsKept = 1'000;
/// A run that failed is tried again after this, or sooner when it is due.
inline constexpr Duration kRetryAfter{60 * kUsPerSecond};

/// Whether the job is to be run now: asked for, due, or left by a node that died at it.
[[nodiscard]] bool isDue(const JobRow& job, Time now);

/// Makes the job known, or what this release says of it; leaves all else of it as it is.
void addJob(db::Connection& connection, const JobFacts& facts);
std::optional<JobRow> job(db::Connection& connection, const std::string& name);
/// Whether `take` is worth trying; only reads.
bool mayTake(db::Connection& connection, const std::string& name);
/// Takes the lease if the job is due and nobody holds it; in a transaction of its own.
std::optional<Taken> take(db::Connection& connection, const std::string& name, const Holder& holder,
                          Duration length);
/// False when it is not ours any more.
bool renew(db::Connection& connection, const std::string& name, Epoch epoch, Duration length);
/// In the transaction that writes a result, before it commits. Throws LeaseLost.
void fence(db::Connection& connection, const std::string& name, Epoch epoch);
/// Notes how the run ended and gives the lease back, unless it is somebody else's by now. What was
/// abandoned is due at once.
void finish(db::Connection& connection, const std::string& name, const Taken& taken,
            const RunEnd& end);

// What operators change; all nodes see it within a second. False when there is no such job. In a
// transaction.
bool setEvery(db::Connection& connection, const std::string& name, Duration every);
bool setPaused(db::Connection& connection, const std::string& name, bool paused);
bool ask(db::Connection& connection, const std::string& name);

/// All jobs, by name.
std::vector<JobStatus> statuses(db::Connection& connection);
std::optional<JobStatus> status(db::Connection& connection, const std::string& name);
/// Newest first, below the run `before`. A run whose node is gone is shown as abandoned.
std::vector<JobRun> runs(db::Connection& connection, const std::string& name, std::int64_t before,
                         int limit);
/// When the newest run that succeeded began.
std::optional<Time> lastSuccess(db::Connection& connection, const std::string& name);

}  // namespace store
}  // namespace tipflow::schedule

template <>
struct tipflow::EnumWords<tipflow::schedule::RunOutcome> {
  using Outcome = schedule::RunOutcome;
  static constexpr std::array values{std::pair{std::string_view{"running"}, Outcome::running},
                                     std::pair{std::string_view{"succeeded"}, Outcome::succeeded},
                                     std::pair{std::string_view{"failed"}, Outcome::failed},
                                     std::pair{std::string_view{"taken_over"}, Outcome::takenOver},
                                     std::pair{std::string_view{"abandoned"}, Outcome::abandoned}};
};
