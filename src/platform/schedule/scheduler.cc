#include "platform/schedule/scheduler.h"

#include "platform/log.h"
#include "platform/thread_name.h"

namespace tipflow::schedule {
namespace {

using std::chrono::milliseconds;

// How soon a job that is asked for, or due, is looked at.
constexpr milliseconds kLook{300};

}  // namespace

Scheduler::Scheduler(Holder holder, const Clock& clock, Jobs& states, LeaseLimits limits)
    : holder_(std::move(holder)), clock_(clock), states_(states), limits_(limits) {}

Scheduler::~Scheduler() { stop(); }

void Scheduler::add(JobSpec spec) {
  auto* state = &states_.add(spec.name, spec.every);
  jobs_.push_back({std::move(spec), state, {}, nullptr});
}

void Scheduler::start() {
  for (auto& job : jobs_) job.thread = std::thread([this, &job] { look(job); });
  if (!jobs_.empty()) renewer_ = std::thread([this] { renew(); });
}

void Scheduler::leave() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
}

void Scheduler::stop() {
  leave();
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
      if (!known) store::addJob(*connection, {job.spec.name, job.spec.role, job.spec.every});
      known = true;
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
  const auto& name = job.spec.name;
  std::optional<Taken> taken;
  if (store::mayTake(connection, name)) {
    taken = store::take(connection, name, holder_, limits_.length);
  }
  if (!taken) {
    job.state->elsewhere();
    return false;
  }
  carryOut(job, connection, *taken);
  return true;
}

void Scheduler::carryOut(Kept& job, db::Connection& connection, const Taken& taken) {
  const Time started = clock_.now();
  auto owned =
      std::make_unique<Run>(*job.spec.database, job.spec.name, taken, stopping_, job.spec.limit);
  Run& run = *owned;
  {
    const std::lock_guard lock(mutex_);
    job.run = std::move(owned);
  }
  const auto end = endOf(job.spec, run);
  {
    const std::lock_guard lock(mutex_);
    owned = std::move(job.run);
  }
  note(job, end, started);
  store::finish(connection, job.spec.name, taken, end);
}

RunEnd Scheduler::endOf(const JobSpec& spec, Run& run) {
  RunEnd end;
  try {
    spec.work(run);
    if (run.lost_) {
      end = {RunOutcome::takenOver, 0, "another node has taken it over"};
    } else if (run.overdue()) {
      end = {RunOutcome::failed, 0, run.shownLimit()};
    } else if (run.toldToStop_) {
      end = {RunOutcome::abandoned, 0, "its node left"};
    }
  } catch (const LeaseLost& lost) {
    end = {RunOutcome::takenOver, 0, lost.what()};
  } catch (const std::exception& error) {
    end = {RunOutcome::failed, 0, error.what()};
  }
  end.items = run.items_;
  return end;
}

void Scheduler::note(Kept& job, const RunEnd& end, Time started) {
  switch (end.outcome) {
    case RunOutcome::succeeded:
      job.state->succeeded(started);
      break;
    case RunOutcome::failed:
      job.state->failed(started, end.detail);
      break;
    case RunOutcome::running:
    case RunOutcome::takenOver:
    case RunOutcome::abandoned:
      job.state->elsewhere();
      break;
  }
  // A run that found nothing to do, every few seconds, is no news.
  const auto level = end.outcome != RunOutcome::succeeded ? log::Level::warn
                     : end.items == 0                     ? log::Level::debug
                                                          : log::Level::info;
  log::line(level, job.spec.role, {}, "job ended", log::field("job", job.spec.name),
            log::field("outcome", word(end.outcome)), log::field("items", end.items),
            log::field("ms", (clock_.now() - started).count() / kUsPerMs),
            log::field("detail", end.detail));
}

void Scheduler::renew() {
  nameThread("job-leases");
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    wake_.wait_for(lock, limits_.length / 3, [this] { return stopping_.load(); });
    for (auto& job : jobs_) {
      // The lease of a run that takes too long runs out, and another node may try.
      if (!job.run || job.run->overdue()) continue;
      job.state->elsewhere();  // at work, however long it takes
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
