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
#include "finance/client.h"
#include "platform/db/database.h"
#include "platform/metrics.h"

namespace tipflow::audience {

struct SyncIdentity {
  std::string node;
  std::string process;
  Duration lease;
};

class SyncDriver {
 public:
  /// `finance` may be null: the role is away, tips wait in DB1.
  SyncDriver(db::Database& db1, finance::FinanceClient* finance, const Clock& clock,
             SyncIdentity identity, Metrics& metrics);
  ~SyncDriver();
  SyncDriver(const SyncDriver&) = delete;
  SyncDriver& operator=(const SyncDriver&) = delete;

  /// A lane of this process committed these. Called on the lane's thread.
  void onCommitted(LaneId lane, const std::vector<NumberedTip>& tips, Time committedAt);
  /// Tips of this process known to be committed and not known to be settled.
  [[nodiscard]] std::int64_t lag() const;
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
  void adopt(Hands& hands);
  void pushAll(Hands& hands, LaneId lane);
  void lookAgain(Hands& hands);
  void noteProgress(Hands& hands);

  db::Database& db1_;
  finance::FinanceClient* finance_;
  const Clock& clock_;
  SyncIdentity identity_;
  prometheus::Gauge& lagGauge_;
  prometheus::Counter& settled_;
  prometheus::Counter& failures_;

  mutable std::mutex workersMutex_;
  std::map<LaneId, std::unique_ptr<Worker>> workers_;
  std::map<LaneId, LaneSeq> noted_;  // the keeper's own
  std::mutex keeperMutex_;
  std::condition_variable keeperWake_;
  std::atomic<bool> stopping_{false};
  Time stopBy_{};
  std::thread keeper_;
};

}  // namespace tipflow::audience
