#include "platform/schedule/job_store.h"

#include <algorithm>

#include "platform/db/dialect.h"

namespace tipflow::schedule::store {
namespace {

constexpr const char* kSelect = R"(
  SELECT name, role, release_every_ms, every_ms, paused, asked_at, due_at, holder, epoch, lease_until
  FROM job)";
constexpr const char* kSelectRuns = R"(
  SELECT id, name, node, started_at, ended_at, items, outcome, detail FROM job_run)";
constexpr const char* kAbandon = R"(
  UPDATE job_run SET outcome = ?, ended_at = ?, detail = 'its node died or froze'
  WHERE name = ? AND outcome = ?)";
constexpr std::size_t kDetail = 500;

JobRow rowOf(const db::Row& row) {
  JobRow job;
  job.facts = {std::string(row.text(0)), std::string(row.text(1)),
               Duration{row.integer(2) * kUsPerMs}};
  job.every = Duration{row.integer(3) * kUsPerMs};
  job.paused = row.integer(4) != 0;
  job.askedAt = row.time(5);
  job.dueAt = row.time(6);
  job.lease = {std::string(row.text(7)), row.integer(8), row.time(9)};
  return job;
}

JobRun runOf(const db::Row& row) {
  return {row.integer(0),
          std::string(row.text(1)),
          std::string(row.text(2)),
          row.time(3),
          row.optionalTime(4),
          row.integer(5),
          static_cast<RunOutcome>(row.integer(6)),
          std::string(row.text(7))};
}

std::optional<JobRow> read(db::Connection& connection, const std::string& name,
                           std::string_view tail) {
  std::optional<JobRow> job;
  connection.query(std::string(kSelect) + " WHERE name = ?" + std::string(tail), {name},
                   [&](const db::Row& row) { job = rowOf(row); });
  return job;
}

/// The job's row, held until the transaction ends.
std::optional<JobRow> held(db::Connection& connection, const std::string& name) {
  return read(connection, name, db::forUpdate(connection.dialect()));
}

void writeLease(db::Connection& connection, const std::string& name, const LeaseRow& lease) {
  connection.exec("UPDATE job SET holder = ?, epoch = ?, lease_until = ? WHERE name = ?",
                  {lease.holder, lease.epoch, lease.until, name});
}

bool isHeld(const JobRow& job, Time now) {
  return !job.lease.holder.empty() && job.lease.until > now;
}

void dropOldRuns(db::Connection& connection, const std::string& name) {
  std::int64_t last = 0;
  connection.query("SELECT id FROM job_run WHERE name = ? ORDER BY id DESC LIMIT 1 OFFSET ?",
                   {name, kRunsKept}, [&](const db::Row& row) { last = row.integer(0); });
  if (last > 0) connection.exec("DELETE FROM job_run WHERE name = ? AND id <= ?", {name, last});
}

/// When a job is due after a run that ended so; nullopt: as it is.
std::optional<Time> dueAfter(const JobRow& job, RunOutcome outcome, Time now) {
  switch (outcome) {
    case RunOutcome::abandoned:
      return now;
    case RunOutcome::failed:
      return std::min(job.dueAt, now + kRetryAfter);
    case RunOutcome::running:
    case RunOutcome::succeeded:
    case RunOutcome::takenOver:
      return std::nullopt;
  }
  return std::nullopt;
}

JobStatus statusOf(db::Connection& connection, JobRow job, Time now) {
  JobStatus status;
  for (auto& run : runs(connection, job.facts.name, kIdEnd, 2)) {
    auto& place = run.outcome == RunOutcome::running ? status.running : status.last;
    if (!place) place = std::move(run);
  }
  if (job.askedAt > Time{}) {
    status.dueNext = job.askedAt;
  } else if (!job.paused) {
    const bool left = !job.lease.holder.empty() && !isHeld(job, now);
    status.dueNext = left ? now : job.dueAt;
  }
  status.job = std::move(job);
  return status;
}

}  // namespace

bool isDue(const JobRow& job, Time now) {
  if (job.askedAt > Time{}) return true;
  if (job.paused) return false;
  const bool left = !job.lease.holder.empty() && job.lease.until <= now;
  return left || job.dueAt <= now;
}

void addJob(db::Connection& connection, const JobFacts& facts) {
  connection.exec(
      "INSERT INTO job (name, role, release_every_ms, every_ms, paused, asked_at, due_at, holder, "
      "epoch, lease_until) VALUES (?, ?, ?, 0, 0, 0, 0, '', 0, 0)" +
          db::upsertSet(connection.dialect(), "name", {"role", "release_every_ms"}),
      {facts.name, facts.role, facts.every.count() / kUsPerMs});
}

std::optional<JobRow> job(db::Connection& connection, const std::string& name) {
  return read(connection, name, {});
}

bool mayTake(db::Connection& connection, const std::string& name) {
  const auto found = job(connection, name);
  if (!found) return false;
  const Time now = connection.now();
  return isDue(*found, now) && !isHeld(*found, now);
}

std::optional<Taken> take(db::Connection& connection, const std::string& name, const Holder& holder,
                          Duration length) {
  return db::transact(connection, [&](db::Connection& c) -> std::optional<Taken> {
    const auto job = held(c, name);
    const Time now = c.now();
    if (!job || !isDue(*job, now)) return std::nullopt;
    const auto lease = taken(job->lease, holder.process, now, length);
    if (!lease) return std::nullopt;
    if (!job->lease.holder.empty()) {
      c.exec(kAbandon, {RunOutcome::abandoned, now, name, RunOutcome::running});
    }
    writeLease(c, name, *lease);
    c.exec("UPDATE job SET asked_at = 0, due_at = ? WHERE name = ?", {now + job->interval(), name});
    const auto run = c.exec(
        "INSERT INTO job_run (name, node, epoch, started_at, items, outcome, detail) "
        "VALUES (?, ?, ?, ?, 0, 0, '')",
        {name, holder.node, lease->epoch, now});
    return Taken{lease->epoch, run.lastId};
  });
}

bool renew(db::Connection& connection, const std::string& name, Epoch epoch, Duration length) {
  return db::transact(connection, [&](db::Connection& c) {
    const auto job = held(c, name);
    if (!job || job->lease.holder.empty()) return false;  // given back
    const auto lease = renewed(job->lease, epoch, c.now(), length);
    if (lease) writeLease(c, name, *lease);
    return lease.has_value();
  });
}

void fence(db::Connection& connection, const std::string& name, Epoch epoch) {
  const auto job = held(connection, name);
  if (job && mayWrite(job->lease, epoch)) return;
  throw LeaseLost("another node has taken over the job " + name);
}

void finish(db::Connection& connection, const std::string& name, const Taken& own,
            const RunEnd& end) {
  db::transact(connection, [&](db::Connection& c) {
    const auto job = held(c, name);
    const Time now = c.now();
    c.exec("UPDATE job_run SET ended_at = ?, items = ?, outcome = ?, detail = ? WHERE id = ?",
           {now, end.items, end.outcome, std::string_view(end.detail).substr(0, kDetail), own.run});
    if (!job || !mayWrite(job->lease, own.epoch)) return;
    writeLease(c, name, {"", own.epoch, now});
    if (const auto due = dueAfter(*job, end.outcome, now)) {
      c.exec("UPDATE job SET due_at = ? WHERE name = ?", {*due, name});
    }
  });
  dropOldRuns(connection, name);
}

bool setEvery(db::Connection& connection, const std::string& name, Duration every) {
  const auto job = held(connection, name);
  if (!job) return false;
  // A run that is due later than the new interval allows is due by the new one.
  const Time soonest = connection.now() + every;
  connection.exec("UPDATE job SET every_ms = ?, due_at = ? WHERE name = ?",
                  {every.count() / kUsPerMs, std::min(job->dueAt, soonest), name});
  return true;
}

bool setPaused(db::Connection& connection, const std::string& name, bool paused) {
  return connection.exec("UPDATE job SET paused = ? WHERE name = ?", {paused ? 1 : 0, name})
             .matched == 1;
}

bool ask(db::Connection& connection, const std::string& name) {
  return connection.exec("UPDATE job SET asked_at = ? WHERE name = ?", {connection.now(), name})
             .matched == 1;
}

std::vector<JobStatus> statuses(db::Connection& connection) {
  std::vector<JobRow> jobs;
  connection.query(std::string(kSelect) + " ORDER BY name", {},
                   [&](const db::Row& row) { jobs.push_back(rowOf(row)); });
  std::vector<JobStatus> statuses;
  const Time now = connection.now();
  for (auto& job : jobs) statuses.push_back(statusOf(connection, std::move(job), now));
  return statuses;
}

std::optional<JobStatus> status(db::Connection& connection, const std::string& name) {
  auto found = job(connection, name);
  if (!found) return std::nullopt;
  return statusOf(connection, *std::move(found), connection.now());
}

std::vector<JobRun> runs(db::Connection& connection, const std::string& name, std::int64_t before,
                         int limit) {
  std::vector<JobRun> runs;
  connection.query(std::string(kSelectRuns) + " WHERE name = ? AND id < ? ORDER BY id DESC LIMIT ?",
                   {name, before, limit}, [&](const db::Row& row) { runs.push_back(runOf(row)); });
  // Nobody has run it since its node was last heard of.
  const auto found = job(connection, name);
  const bool alive = found && isHeld(*found, connection.now());
  for (auto& run : runs) {
    if (run.outcome == RunOutcome::running && !alive) run.outcome = RunOutcome::abandoned;
  }
  return runs;
}

std::optional<Time> lastSuccess(db::Connection& connection, const std::string& name) {
  std::optional<Time> began;
  connection.query(
      "SELECT started_at FROM job_run WHERE name = ? AND outcome = ? ORDER BY id DESC LIMIT 1",
      {name, RunOutcome::succeeded}, [&](const db::Row& row) { began = row.time(0); });
  return began;
}

}  // namespace tipflow::schedule::store
