#include "console/job_control.h"

#include <algorithm>

#include "platform/log.h"

namespace tipflow::console {
namespace {

ShownRun shown(schedule::JobRun run) {
  ShownRun result{run.id,    std::move(run.node), run.startedAt, run.endedAt,
                  run.items, run.outcome,         std::nullopt};
  if (!run.detail.empty()) result.detail = std::move(run.detail);
  return result;
}

ShownJob shown(schedule::JobStatus status, const std::string& database) {
  auto& [job, running, last, dueNext] = status;
  ShownJob result;
  result.name = job.facts.name;
  result.role = job.facts.role;
  result.database = database;
  result.everySeconds = job.interval().count() / kUsPerSecond;
  result.releaseEverySeconds = job.facts.every.count() / kUsPerSecond;
  result.paused = job.paused;
  result.asked = job.askedAt > Time{};
  if (running) {
    result.runningOn = std::move(running->node);
    result.runningSince = running->startedAt;
  }
  if (last) result.lastRun = shown(*std::move(last));
  result.nextDueAt = dueNext;
  return result;
}

}  // namespace

drogon::Task<ShownJobs> JobControl::list() {
  ShownJobs jobs;
  for (auto* database : databases_) {
    if (database == nullptr) {
      jobs.complete = false;
      continue;
    }
    try {
      auto statuses = co_await database->read(
          [](db::Connection& connection) { return schedule::store::statuses(connection); });
      for (auto& status : statuses) {
        jobs.items.push_back(shown(std::move(status), database->name()));
      }
    } catch (const db::Error& away) {
      jobs.complete = false;
      log::warn("console", "the jobs of a database cannot be read",
                log::field("database", database->name()),
                log::field("error", std::string_view(away.what())));
    }
  }
  std::sort(jobs.items.begin(), jobs.items.end(),
            [](const ShownJob& a, const ShownJob& b) { return a.name < b.name; });
  co_return jobs;
}

drogon::Task<db::Database*> JobControl::databaseOf(std::string name) {
  for (auto* database : databases_) {
    if (database == nullptr) continue;
    const bool known = co_await database->read([&](db::Connection& connection) {
      return schedule::store::job(connection, name).has_value();
    });
    if (known) co_return database;
  }
  if (databases_.front() == nullptr) throw db::Unavailable(0, "DB1 cannot be reached from here");
  co_return nullptr;
}

drogon::Task<Result<JobChange>> JobControl::change(std::string name, ChangeJob change) {
  auto* const database = co_await databaseOf(name);
  if (database == nullptr) co_return ErrorCode::job_not_found;
  auto changed = co_await database->write([&](db::Connection& connection) {
    const auto before = schedule::store::status(connection, name).value();
    if (change.everySeconds) {
      schedule::store::setEvery(connection, name,
                                Duration{change.everySeconds->value * kUsPerSecond});
    }
    if (change.paused) schedule::store::setPaused(connection, name, *change.paused);
    return JobChange{shown(before, database->name()),
                     shown(schedule::store::status(connection, name).value(), database->name())};
  });
  co_return changed;
}

drogon::Task<Result<ShownJob>> JobControl::runNow(std::string name) {
  auto* const database = co_await databaseOf(name);
  if (database == nullptr) co_return ErrorCode::job_not_found;
  auto asked = co_await database->write([&](db::Connection& connection) {
    schedule::store::ask(connection, name);
    return shown(schedule::store::status(connection, name).value(), database->name());
  });
  co_return asked;
}

drogon::Task<Result<http::Page<ShownRun>>> JobControl::runs(std::string name, std::int64_t before,
                                                            int pageSize) {
  auto* const database = co_await databaseOf(name);
  if (database == nullptr) co_return ErrorCode::job_not_found;
  auto found = co_await database->read([&](db::Connection& connection) {
    return schedule::store::runs(connection, name, before, pageSize + 1);
  });
  http::Page<ShownRun> page;
  if (found.size() > static_cast<std::size_t>(pageSize)) {
    found.pop_back();
    page.nextPageToken = http::makePageToken({found.back().id});
  }
  for (auto& run : found) page.items.push_back(shown(std::move(run)));
  co_return page;
}

}  // namespace tipflow::console
