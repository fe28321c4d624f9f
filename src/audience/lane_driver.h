// Runs one Lane on a thread and a DB1 connection of its own: carries out its actions, and wakes the
// coroutines that wait for its answers, once a batch. All decisions are in lane.h.
#pragma once

#include <trantor/net/EventLoop.h>

#include <atomic>
#include <condition_variable>
#include <coroutine>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "audience/lane.h"
#include "platform/db/database.h"
#include "platform/metrics.h"

namespace tipflow::audience {

/// Coroutine that waits until a number of tips are answered.
struct TipGroup {
  std::atomic<int> open{0};
  std::coroutine_handle<> handle;
  trantor::EventLoop* loop = nullptr;
};

/// Where one answer goes; the address is the lane's ticket.
struct TipSlot {
  TipAnswer answer;
  TipGroup* group = nullptr;
};

struct LaneMetrics {
  prometheus::Histogram* batch = nullptr;
  prometheus::Histogram* commitSeconds = nullptr;
};

/// Told of every commit, on the lane's thread, before the clients are.
using CommitListener =
    std::function<void(LaneId lane, const std::vector<NumberedTip>& tips, Time committedAt)>;

struct LaneIdentity {
  std::string node;
  std::string process;
  Duration lease;
};

class LaneDriver {
 public:
  LaneDriver(db::Database& db1, const Clock& clock, LaneIdentity identity, LaneLimits limits,
             LaneMetrics metrics, CommitListener onCommitted);
  ~LaneDriver();
  LaneDriver(const LaneDriver&) = delete;
  LaneDriver& operator=(const LaneDriver&) = delete;

  /// Queues the tip; else says why not in the slot's answer, and nothing is queued.
  bool submit(TipSlot& slot, Tip tip);
  /// Whether tips can be written now: the lane is open and its database answers.
  [[nodiscard]] bool healthy() const { return healthy_.load(); }
  /// Tips that wait for their answer.
  [[nodiscard]] std::size_t queued() const { return queued_.load(std::memory_order_relaxed); }
  /// 0 before the lane was opened.
  [[nodiscard]] LaneId lane() const { return LaneId{laneId_.load()}; }
  /// Takes no more tips, commits those it has, closes the lane in DB1.
  void stop();

 private:
  struct Incoming {
    TipSlot* slot;
    Tip tip;
    Time since;  ///< its client's wait also counts while the lane's thread is busy
  };

  void run();
  void openLane();
  /// A statement that takes longer counts as lost, so that its clients hear something in time.
  [[nodiscard]] Duration answerTimeout() const { return limits_.wait - Duration{kUsPerSecond}; }
  void closeLanes();
  /// Waits for tips or for the next look at the clock; moves what came into the lane.
  void takeIncoming(bool wait);
  /// Carries out actions until the lane is idle or its database is away.
  void drive();
  bool perform(const Lane::Action& action);
  void deliver();
  void setHealthy(bool healthy);

  db::Database& db1_;
  const Clock& clock_;
  LaneIdentity identity_;
  LaneLimits limits_;
  LaneMetrics metrics_;
  CommitListener onCommitted_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Incoming> incoming_;
  std::unordered_set<TraceId> uncertain_;  // while DB1 is away: tips that may have been written
  bool waiting_ = false;
  bool stopping_ = false;

  std::atomic<std::size_t> queued_{0};
  std::atomic<bool> healthy_{false};
  std::atomic<std::int64_t> laneId_{0};

  // Used by the lane's thread alone.
  std::unique_ptr<Lane> lane_;
  std::unique_ptr<db::Connection> connection_;
  std::vector<std::pair<LaneId, LaneSeq>> unclosed_;  // ended, and not known to be closed in DB1
  std::vector<Incoming> taken_;
  int rolledBack_ = 0;
  std::thread thread_;
};

}  // namespace tipflow::audience
