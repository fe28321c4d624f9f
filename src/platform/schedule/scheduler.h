// Runs recurring jobs, each on one node at a time and on another when that one dies: a thread a
// job, and one that renews the leases of those that run. What a job writes is fenced by its epoch.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "platform/db/database.h"
#include "platform/schedule/job_store.h"
#include "platform/schedule/jobs.h"

namespace tipflow::schedule {

/// The run took longer than its job may: nothing more of it is written.
class TookTooLong : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What a run is given. Used by the job's own thread.
class Run {
 public:
  using Clock = std::chrono::steady_clock;

  Run(db::Database& database, std::string name, Taken taken, const std::atomic<bool>& stopping,
      Duration limit)
      : database_(database),
        name_(std::move(name)),
        taken_(taken),
        stopping_(stopping),
        limit_(limit),
        until_(Clock::now() + limit) {}

  /// Runs `work(connection)` in a transaction that commits only while the lease is ours. Throws
  /// LeaseLost or TookTooLong, and then nothing is written.
  template <class Work>
  auto write(Work&& work) {
    if (overdue()) throw TookTooLong(shownLimit());
    return db::transact(connection(), [&](db::Connection& c) {
      store::fence(c, name_, taken_.epoch);
      return work(c);
    });
  }
  db::Connection& connection() {
    if (!connection_) connection_ = database_.connect();
    return *connection_;
  }
  /// Asked between steps of long work: the node leaves, the lease was lost, or the time is over. A
  /// run that was told so is noted as not done.
  [[nodiscard]] bool shouldStop() {
    if (stopping_ || lost_ || overdue()) toldToStop_ = true;
    return toldToStop_;
  }
  void add(std::int64_t items) { items_ += items; }

 private:
  friend class Scheduler;
  [[nodiscard]] bool overdue() const { return Clock::now() >= until_; }
  [[nodiscard]] std::string shownLimit() const {
    return "took longer than its " + std::to_string(limit_.count() / kUsPerSecond) + " s";
  }

  db::Database& database_;
  std::string name_;
  Taken taken_;
  const std::atomic<bool>& stopping_;
  Duration limit_;
  Clock::time_point until_;
  std::atomic<bool> lost_{false};
  bool toldToStop_ = false;
  std::int64_t items_ = 0;
  std::unique_ptr<db::Connection> connection_;
};

struct JobSpec {
  std::string name;
  std::string role;
  Duration every;
  db::Database* database;
  std::function<void(Run&)> work;
  Duration limit{600 * kUsPerSecond};  ///< a run that takes longer is given up and has failed
};

class Scheduler {
 public:
  Scheduler(Holder holder, const Clock& clock, Jobs& states, LeaseLimits limits = {});
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  /// Before `start`.
  void add(JobSpec spec);
  void start();
  /// No run is begun any more, and those under way are told to stop; returns at once.
  void leave();
  /// Leaves, and waits for runs under way to come to a point where they may stop.
  void stop();

 private:
  struct Kept {
    JobSpec spec;
    Jobs::Job* state;
    std::thread thread;
    std::unique_ptr<Run> run;  // guarded by mutex_; while one is under way
  };
  void look(Kept& job);
  /// Whether there was a run.
  bool tryRun(Kept& job, db::Connection& connection);
  void carryOut(Kept& job, db::Connection& connection, const Taken& taken);
  static RunEnd endOf(const JobSpec& spec, Run& run);
  void note(Kept& job, const RunEnd& end, Time started);
  void renew();

  Holder holder_;
  const Clock& clock_;
  Jobs& states_;
  LeaseLimits limits_;
  std::list<Kept> jobs_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<bool> stopping_{false};
  std::thread renewer_;
};

}  // namespace tipflow::schedule
