#include "platform/schedule/jobs.h"

#include "platform/log.h"

namespace tipflow::schedule {
namespace {

double seconds(Duration duration) {
  return static_cast<double>(duration.count()) / static_cast<double>(kUsPerSecond);
}

prometheus::Counter& runs(Metrics& metrics, const std::string& job, const char* outcome) {
  return metrics.counter("tipflow_job_runs_total", "Runs of a job, by outcome.",
                         {{"name", job}, {"outcome", outcome}});
}

}  // namespace

Jobs::Job::Job(const std::string& name, Duration every, Metrics& metrics, const Clock& clock)
    : clock_(clock),
      successes_(runs(metrics, name, "succeeded")),
      failures_(runs(metrics, name, "failed")),
      lastDuration_(metrics.gauge("tipflow_job_last_duration_seconds", "Time of a job's last run.",
                                  {{"name", name}})),
      lastSuccess_(metrics.gauge("tipflow_job_last_success_timestamp_seconds",
                                 "When a job last ended well here; 0 before the first time.",
                                 {{"name", name}})),
      interval_(metrics.gauge("tipflow_job_interval_seconds",
                              "How long after a run the next one begins.", {{"name", name}})),
      state_{name, every, clock.now(), 0, {}} {
  interval_.Set(seconds(every));
}

void Jobs::Job::ended(Time started) {
  state_.lastSeen = clock_.now();
  lastDuration_.Set(seconds(state_.lastSeen - started));
}

void Jobs::Job::succeeded(Time started) {
  const std::lock_guard lock(mutex_);
  ended(started);
  successes_.Increment();
  lastSuccess_.Set(static_cast<double>(state_.lastSeen.us) / static_cast<double>(kUsPerSecond));
  state_.failuresInRow = 0;
  state_.lastError.clear();
}

void Jobs::Job::failed(Time started, std::string_view why) {
  const std::lock_guard lock(mutex_);
  ended(started);
  failures_.Increment();
  ++state_.failuresInRow;
  state_.lastError = why;
}

void Jobs::Job::elsewhere() {
  const std::lock_guard lock(mutex_);
  state_.lastSeen = clock_.now();
}

void Jobs::Job::nextIn(Duration pause) {
  const std::lock_guard lock(mutex_);
  state_.every = pause;
  interval_.Set(seconds(pause));
}

drogon::Task<> Jobs::Job::run(std::string role, std::function<drogon::Task<>()> work) {
  const Time started = clock_.now();
  std::string why;
  try {
    co_await work();
  } catch (const std::exception& error) {
    why = error.what();
    if (why.empty()) why = "unknown";
  }
  if (why.empty()) {
    succeeded(started);
    co_return;
  }
  failed(started, why);
  log::warn(role, "a job failed", log::field("job", state_.name), log::field("error", why));
}

JobState Jobs::Job::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

Jobs::Job& Jobs::add(const std::string& name, Duration every) {
  const std::lock_guard lock(mutex_);
  return jobs_.emplace_back(name, every, metrics_, clock_);
}

std::vector<JobState> Jobs::states() const {
  const std::lock_guard lock(mutex_);
  std::vector<JobState> states;
  for (const auto& job : jobs_) states.push_back(job.state());
  return states;
}

}  // namespace tipflow::schedule
