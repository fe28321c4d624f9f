// How the recurring jobs of a node are doing: when each ran last, how long it took, how it ended.
// It starts nothing: whoever runs a job says so here, from any thread.
#pragma once

#include <drogon/utils/coroutine.h>

#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "platform/metrics.h"

namespace tipflow::schedule {

/// A job as far as this node knows it.
struct JobState {
  std::string name;
  Duration every;
  Time lastSeen;  ///< when it last ended here or was found in another node's hands; else its start
  int failuresInRow = 0;
  std::string lastError;
};

class Jobs {
 public:
  explicit Jobs(Metrics& metrics, const Clock& clock) : metrics_(metrics), clock_(clock) {}
  Jobs(const Jobs&) = delete;
  Jobs& operator=(const Jobs&) = delete;

  class Job {
   public:
    Job(const std::string& name, Duration every, Metrics& metrics, const Clock& clock);
    void succeeded(Time started);
    void failed(Time started, std::string_view why);
    /// Somebody looks after it: another node, or a run here that is under way.
    void elsewhere();
    /// The next run begins so long after this one, for this once.
    void nextIn(Duration pause);
    /// Runs `work` and notes how it ended; what it throws is logged under `role`, not thrown on.
    drogon::Task<> run(std::string role, std::function<drogon::Task<>()> work);

    [[nodiscard]] JobState state() const;

   private:
    void ended(Time started);

    const Clock& clock_;
    prometheus::Counter& successes_;
    prometheus::Counter& failures_;
    prometheus::Gauge& lastDuration_;
    prometheus::Gauge& lastSuccess_;
    prometheus::Gauge& interval_;
    mutable std::mutex mutex_;
    JobState state_;
  };

  /// `every`: how long after one run the next one begins. The job lives as long as this.
  Job& add(const std::string& name, Duration every);
  [[nodiscard]] std::vector<JobState> states() const;

 private:
  Metrics& metrics_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::list<Job> jobs_;
};

}  // namespace tipflow::schedule
