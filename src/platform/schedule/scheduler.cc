#include "platform/schedule/scheduler.h"

#include "platform/log.h"
#include "platform/thread_name.h"

namespace tipflow::schedule {
namespace {

using std::chrono::milliseconds;

// How soon a job that is asked for, or due, is looked at.
constexpr milliseconds kLook{300};

}  // namespace

Scheduler::Scheduler(std::string node, const Clock& clock, Jobs& states, LeaseLimits limits)
    : node_(std::move(node)), clock_(clock), states_(states), limits_(limits) {}

Scheduler::~Scheduler() { stop(); }

void Scheduler::add(JobSpec spec) {
  auto* state = &states_.add(spec.name, spec.every);
  jobs_.push_back({std::move(spec), state, {}, nullptr});
}

void Scheduler::start() {
  for (auto& job : jobs_) job.thread = std::thread([this, &job] { look(job); });
  if (!jobs_.empty()) renewer_ = std::thread([this] { renew(); });
}

void Scheduler::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (auto& job : jobs_) {
    if (job.thread.joinable()) job.thread.join();
  }
  if (renewer_.joinable()) renewer_.join();
}

void Scheduler::look(Kept& job) {
  nameThread("job");
  std::unique_ptr<db::Connection> connection;
  bool known = false;
  bool said = false;
  while (!stopping_) {
    bool ran = false;
    try {
      if (!connection) connection = job.spec.database->connect();
      if (!std::exchange(known, true)) store::addJob(*connection, job.spec.name);
      ran = tryRun(job, *connection);
      said = false;
    } catch (const std::exception& error) {
      connection.reset();
      if (!std::exchange(said, true)) {
        log::warn(job.spec.role, "cannot look after a job", log::field("job", job.spec.name),
                  log::field("error", std::string_view(error.what())));
      }
    }
    if (ran) continue;
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, kLook, [this] { return stopping_.load(); });
  }
}

bool Scheduler::tryRun(Kept& job, db::Connection& connection) {
  const auto taken = store::take(connection, job.spec.name, node_, job.spec.every, limits_.length);
  if (!taken) {
    job.state->elsewhere();
    return false;
  }
  carryOut(job, connection, *taken);
  return true;
}

void Scheduler::carryOut(Kept& job, db::Connection& connection, const Taken& taken) {
  const Time started = clock_.now();
  auto owned = std::make_unique<Run>(*job.spec.database, job.spec.name, taken, stopping_);
  Run& run = *owned;
  {
    const std::lock_guard lock(mutex_);
    job.run = std::move(owned);
  }
  auto outcome = RunOutcome::succeeded;
  std::string detail;
  try {
    job.spec.work(run);
    job.state->succeeded(started);
  } catch (const LeaseLost& lost) {
    outcome = RunOutcome::takenOver;
    detail = lost.what();
    job.state->elsewhere();
  } catch (const std::exception& error) {
    outcome = RunOutcome::failed;
    detail = error.what();
    job.state->failed(started, detail);
  }
  const auto items = run.items_;
  {
    const std::lock_guard lock(mutex_);
    owned = std::move(job.run);
  }
  const auto level = outcome == RunOutcome::succeeded ? log::Level::info : log::Level::warn;
  log::line(level, job.spec.role, {}, "job ended", log::field("job", job.spec.name),
            log::field("outcome", word(outcome)), log::field("items", items),
            log::field("ms", (clock_.now() - started).count() / kUsPerMs),
            log::field("detail", detail));
  store::finish(connection, job.spec.name, taken, outcome, items, detail);
}

void Scheduler::renew() {
  nameThread("job-leases");
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    wake_.wait_for(lock, limits_.length / 3, [this] { return stopping_.load(); });
    for (auto& job : jobs_) {
      if (!job.run) continue;
      const auto epoch = job.run->taken_.epoch;
      auto* database = job.spec.database;
      lock.unlock();
      bool ours = true;
      try {
        ours = store::renew(*database->connect(), job.spec.name, epoch, limits_.length);
      } catch (const std::exception& error) {
        log::warn(job.spec.role, "cannot renew the lease of a job",
                  log::field("job", job.spec.name),
                  log::field("error", std::string_view(error.what())));
      }
      lock.lock();
      if (!ours && job.run && job.run->taken_.epoch == epoch) job.run->lost_ = true;
    }
  }
}

}  // namespace tipflow::schedule
