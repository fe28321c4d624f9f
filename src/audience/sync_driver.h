// Runs the pushers: one thread a lane of this process, and one that adopts lanes nobody pushes any
// more and renews the leases of our own. Decisions are in pusher.h; what finance makes of a batch
// is finance's.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "audience/pusher.h"
#include "audience/tip.h"
#include "audience/tip_traces.h"
#include "finance/client.h"
#include "platform/db/database.h"
#include "platform/metrics.h"
#include "platform/schedule/jobs.h"

namespace tipflow::audience {

struct SyncIdentity {
  std::string node;
  std::string process;
  Duration lease;
};

/// Tips committed and not known to be settled.
struct Waiting {
  std::int64_t tips = 0;
  std::optional<Time> oldest;  ///< none of them was accepted before
};

class SyncDriver {
 public:
  /// `finance` may be null: the role is away, tips wait in DB1.
  SyncDriver(db::Database& db1, finance::FinanceClient* finance, const Clock& clock,
             SyncIdentity identity, TipTraces& traces, Metrics& metrics, schedule::Jobs& jobs);
  ~SyncDriver();
  SyncDriver(const SyncDriver&) = delete;
  SyncDriver& operator=(const SyncDriver&) = delete;

  /// A lane of this process committed these. Called on the lane's thread.
  void onCommitted(LaneId lane, const std::vector<NumberedTip>& tips, Time committedAt);
  /// Of this process's lanes, and of those that nobody pushes any more.
  [[nodiscard]] Waiting waiting() const;
  /// Pushes what is left, for at most `limit`, then ends.
  void stop(Duration limit);

 private:
  /// One lane of this process on its way to finance.
  struct Worker {
    Worker(LaneId lane, PusherLimits limits) : pusher(lane, limits) {}
    Pusher pusher;                   // guarded by mutex
    std::optional<Time> lastCommit;  // guarded by mutex
    std::mutex mutex;
    std::condition_variable wake;
    std::thread thread;
  };

  /// What a thread needs to carry out a pusher's actions.
  struct Hands {
    std::unique_ptr<db::Connection> db1;
    std::unique_ptr<finance::LedgerChannel> ledger;
  };

  void work(Worker& worker);
  /// Carries out one action; false when there is nothing to do before `until`.
  bool step(Worker& worker, Hands& hands, std::unique_lock<std::mutex>& lock, Time& until);
  void keep();
  /// Counts what waits in lanes that nobody pushes any more; it waits whether finance is there or
  /// not.
  void countOrphans(Hands& hands);
  void adopt(Hands& hands);
  void pushAll(Hands& hands, LaneId lane);
  void lookAgain(Hands& hands);
  void noteProgress(Hands& hands);

  db::Database& db1_;
  finance::FinanceClient* finance_;
  const Clock& clock_;
  SyncIdentity identity_;
  TipTraces& traces_;
  prometheus::Gauge& lagTips_;
  prometheus::Gauge& lagSeconds_;
  prometheus::Counter& settled_;
  prometheus::Counter& failures_;

  mutable std::mutex workersMutex_;
  std::map<LaneId, std::unique_ptr<Worker>> workers_;
  std::map<LaneId, LaneSeq> noted_;  // the keeper's own
  std::mutex keeperMutex_;
  std::condition_variable keeperWake_;
  bool pushersEnded_ = false;  // guarded by keeperMutex_
  Waiting orphans_;            // guarded by workersMutex_
  schedule::Jobs::Job& keeperJob_;
  std::atomic<bool> stopping_{false};
  Time stopBy_{};
  std::thread keeper_;
};

}  // namespace tipflow::audience
