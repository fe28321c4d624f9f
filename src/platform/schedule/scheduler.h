// Runs recurring jobs, each on one node at a time and on another when that one dies: a thread a
// job, and one that renews the leases of those that run. What a job writes is fenced by its epoch.
#pragma once

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

/// What a run is given. Used by the job's own thread.
class Run {
 public:
  Run(db::Database& database, std::string name, Taken taken, const std::atomic<bool>& stopping)
      : database_(database), name_(std::move(name)), taken_(taken), stopping_(stopping) {}

  /// Runs `work(connection)` in a transaction that commits only while the lease is ours. Throws
  /// LeaseLost, and then nothing is written.
  template <class Work>
  auto write(Work&& work) {
    return db::transact(connection(), [&](db::Connection& c) {
      store::fence(c, name_, taken_.epoch);
      return work(c);
    });
  }
  db::Connection& connection() {
    if (!connection_) connection_ = database_.connect();
    return *connection_;
  }
  /// Asked between steps of long work: the node leaves, or the lease was lost.
  [[nodiscard]] bool shouldStop() const { return stopping_ || lost_; }
  void add(std::int64_t items) { items_ += items; }

 private:
  friend class Scheduler;
  db::Database& database_;
  std::string name_;
  Taken taken_;
  const std::atomic<bool>& stopping_;
  std::atomic<bool> lost_{false};
  std::int64_t items_ = 0;
  std::unique_ptr<db::Connection> connection_;
};

struct JobSpec {
  std::string name;
  std::string role;
  Duration every;
  db::Database* database;
  std::function<void(Run&)> work;
};

class Scheduler {
 public:
  /// `node`: unique in the cluster, and new for each process.
  Scheduler(std::string node, const Clock& clock, Jobs& states, LeaseLimits limits = {});
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  /// Before `start`.
  void add(JobSpec spec);
  void start();
  /// Waits for runs under way to come to a point where they may stop.
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
  void renew();

  std::string node_;
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
