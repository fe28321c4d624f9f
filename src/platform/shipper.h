// Takes log lines and spans off the log's hands and brings them to where they are kept, many at a
// time, on a thread of its own. Bounded: while the keeper is away lines wait, up to a limit; what
// comes beyond it is dropped and counted. Never slows whoever writes them.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include "base/time.h"
#include "platform/metrics.h"
#include "platform/records.h"

namespace tipflow {

struct ShipperLimits {
  std::size_t waitingBytes = std::size_t{64} * 1024 * 1024;
  std::size_t batchLines = 2'000;
  std::size_t batchBytes = 512 * 1024;
  Duration gather{200 * kUsPerMs};      ///< how long lines are gathered before they are sent
  Duration firstPause{100 * kUsPerMs};  ///< after a failure; doubles up to the longest
  Duration longestPause{2 * kUsPerSecond};
};

class Shipper {
 public:
  /// `name`: of the sink, for metrics.
  Shipper(RecordSink& sink, ShipperLimits limits, Metrics& metrics, const std::string& name);
  ~Shipper();
  Shipper(const Shipper&) = delete;
  Shipper& operator=(const Shipper&) = delete;

  void offer(Lines lines);
  /// Sends what waits, as long as the sink takes it, for at most `limit`; the rest is dropped.
  void stop(Duration limit);

  [[nodiscard]] std::int64_t dropped() const { return droppedLines_.load(); }

 private:
  void run();
  /// The next batch; empty when there is nothing more and the shipper is to end.
  Lines next();
  void settle(const Lines& batch);
  /// Waits before the next try; false when there is none any more.
  bool pause(Duration time);

  RecordSink& sink_;
  ShipperLimits limits_;
  std::string name_;
  prometheus::Counter& kept_;
  prometheus::Counter& dropped_;
  prometheus::Gauge& waiting_;
  std::atomic<std::int64_t> droppedLines_{0};

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Lines> waitingLines_;
  std::size_t bytes_ = 0;
  bool dropping_ = false;
  bool stopping_ = false;
  std::chrono::steady_clock::time_point stopBy_;
  std::thread thread_;
};

}  // namespace tipflow
