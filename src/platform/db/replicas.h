// The replicas of a database, and how far each is behind: measured by a row that is written on the
// primary every moment and read on the replica. So the figure holds end to end, whatever carries
// the changes, and needs no right beyond that row (docs/decisions/0012).
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "platform/db/database.h"

namespace tipflow::db {

struct ReplicaLimits {
  Duration lag{2 * kUsPerSecond};  ///< one that may be further behind is not read
  int threads = 4;                 ///< connections for queries, per replica
};

/// One replica, for people.
struct ReplicaState {
  std::string url;              ///< without the password
  bool read = false;            ///< whether reads go to it now
  std::optional<Duration> lag;  ///< when last measured; none before the first time
  std::string detail;           ///< why it is not read
};

/// Thread-safe. A thread a replica.
class Replicas {
 public:
  Replicas(const Database& primary, const std::vector<Url>& urls, ReplicaLimits limits,
           Metrics& metrics);
  ~Replicas();
  Replicas(const Replicas&) = delete;
  Replicas& operator=(const Replicas&) = delete;

  /// Needs the migrated primary.
  void start();
  void stop();

  /// One that is certainly less behind than the limit, each in turn; nullptr when there is none.
  [[nodiscard]] Database* choose();
  /// A read of it failed: it is left out until it has been measured again.
  void failed(const Database& replica);
  [[nodiscard]] std::vector<ReplicaState> states() const;

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;
  struct Replica {
    Replica(const Database& primary, const Url& url, const ReplicaLimits& limits, int number);
    Database pool;
    std::thread thread;
    // Guarded by mutex_:
    std::optional<Duration> lag;
    SteadyTime measuredAt;  // what `lag` is of
    bool usable = false;
    std::string detail = "not measured yet";
  };
  void watch(Replica& replica);
  void measure(Replica& replica, Connection& primary, Connection& connection);
  [[nodiscard]] bool fresh(const Replica& replica, SteadyTime now) const;

  const Database& primary_;
  ReplicaLimits limits_;
  Duration every_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::size_t next_ = 0;
  std::vector<std::unique_ptr<Replica>> replicas_;
};

}  // namespace tipflow::db
