#include "platform/schedule/job_store.h"

#include "platform/db/dialect.h"

namespace tipflow::schedule::store {
namespace {

constexpr const char* kSelect = R"(SELECT name, every_ms, paused, asked_at, due_at, holder, epoch,
  lease_until FROM job)";
constexpr const char* kSelectRuns = R"(SELECT id, name, node, started_at, ended_at, items, outcome,
  detail FROM job_run)";
constexpr std::size_t kDetail = 500;

JobRow rowOf(const db::Row& row) {
  JobRow job;
  job.name = row.text(0);
  job.every = Duration{row.integer(1) * kUsPerMs};
  job.paused = row.integer(2) != 0;
  job.askedAt = row.time(3);
  job.dueAt = row.time(4);
  job.lease = {std::string(row.text(5)), row.integer(6), row.time(7)};
  return job;
}

/// The job's row, held until the transaction ends.
std::optional<JobRow> held(db::Connection& connection, const std::string& name) {
  std::optional<JobRow> job;
  const auto sql =
      std::string(kSelect) + " WHERE name = ?" + std::string(db::forUpdate(connection.dialect()));
  connection.query(sql, {name}, [&](const db::Row& row) { job = rowOf(row); });
  return job;
}

void writeLease(db::Connection& connection, const std::string& name, const LeaseRow& lease) {
  connection.exec("UPDATE job SET holder = ?, epoch = ?, lease_until = ? WHERE name = ?",
                  {lease.holder, lease.epoch, lease.until, name});
}

}  // namespace

bool isDue(const JobRow& job, Time now) {
  if (job.askedAt > Time{}) return true;
  if (job.paused) return false;
  const bool left = !job.lease.holder.empty() && job.lease.until <= now;
  return left || job.dueAt <= now;
}

void addJob(db::Connection& connection, const std::string& name) {
  connection.exec(
      "INSERT INTO job (name, every_ms, paused, asked_at, due_at, holder, epoch, lease_until) "
      "VALUES (?, 0, 0, 0, 0, '', 0, 0)" +
          db::orKeep(connection.dialect(), "name"),
      {name});
}

std::vector<JobRow> jobs(db::Connection& connection) {
  std::vector<JobRow> jobs;
  connection.query(std::string(kSelect) + " ORDER BY name", {},
                   [&](const db::Row& row) { jobs.push_back(rowOf(row)); });
  return jobs;
}

std::optional<Taken> take(db::Connection& connection, const std::string& name,
                          const std::string& holder, Duration every, Duration length) {
  return db::transact(connection, [&](db::Connection& c) -> std::optional<Taken> {
    const auto job = held(c, name);
    const Time now = c.now();
    if (!job || !isDue(*job, now)) return std::nullopt;
    const auto lease = taken(job->lease, holder, now, length);
    if (!lease) return std::nullopt;
    writeLease(c, name, *lease);
    const Duration own = job->every > Duration{} ? job->every : every;
    c.exec("UPDATE job SET asked_at = 0, due_at = ? WHERE name = ?", {now + own, name});
    const auto run = c.exec(
        "INSERT INTO job_run (name, node, epoch, started_at, items, outcome, detail) "
        "VALUES (?, ?, ?, ?, 0, 0, '')",
        {name, holder, lease->epoch, now});
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
            RunOutcome outcome, std::int64_t items, const std::string& detail) {
  db::transact(connection, [&](db::Connection& c) {
    const Time now = c.now();
    c.exec("UPDATE job_run SET ended_at = ?, items = ?, outcome = ?, detail = ? WHERE id = ?",
           {now, items, outcome, std::string_view(detail).substr(0, kDetail), own.run});
    const auto job = held(c, name);
    if (job && mayWrite(job->lease, own.epoch)) writeLease(c, name, {"", own.epoch, now});
  });
}

bool setEvery(db::Connection& connection, const std::string& name, Duration every) {
  return db::transact(connection, [&](db::Connection& c) {
    const auto job = held(c, name);
    if (!job) return false;
    // A run that is due later than the new interval allows is due by the new one.
    const Time soonest = c.now() + every;
    c.exec("UPDATE job SET every_ms = ?, due_at = ? WHERE name = ?",
           {every.count() / kUsPerMs, std::min(job->dueAt, soonest), name});
    return true;
  });
}

bool setPaused(db::Connection& connection, const std::string& name, bool paused) {
  return connection.exec("UPDATE job SET paused = ? WHERE name = ?", {paused ? 1 : 0, name})
             .matched == 1;
}

bool ask(db::Connection& connection, const std::string& name) {
  return connection.exec("UPDATE job SET asked_at = ? WHERE name = ?", {connection.now(), name})
             .matched == 1;
}

std::vector<JobRun> runs(db::Connection& connection, const std::string& name, std::int64_t before,
                         int limit) {
  std::vector<JobRun> runs;
  connection.query(
      std::string(kSelectRuns) + " WHERE name = ? AND id < ? ORDER BY id DESC LIMIT ?",
      {name, before, limit}, [&](const db::Row& row) {
        runs.push_back({row.integer(0), std::string(row.text(1)), std::string(row.text(2)),
                        row.time(3), row.optionalTime(4), row.integer(5),
                        static_cast<RunOutcome>(row.integer(6)), std::string(row.text(7))});
      });
  return runs;
}

}  // namespace tipflow::schedule::store
