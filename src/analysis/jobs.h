// The recurring work of the role: keeping the sums up with the ledger, and the portrait rounds.
// Each step is a transaction that leaves everything right, wherever the work breaks off.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "analysis/sum_store.h"
#include "platform/business_time.h"
#include "platform/schedule/scheduler.h"

namespace tipflow::analysis {

inline constexpr const char* kHourlyJob = "hourly_analysis";
inline constexpr const char* kRoundJob = "portrait_round";

/// What a job works with: schedule::Run in a node.
class Work {
 public:
  virtual ~Work() = default;
  virtual db::Connection& connection() = 0;
  /// A transaction that commits only while the work is ours.
  virtual void write(const std::function<void(db::Connection&)>& step) = 0;
  virtual bool shouldStop() = 0;
  virtual void add(std::int64_t items) = 0;
};

struct CatchUpLimits {
  std::int64_t sumsAtOnce = 0;          ///< of one transaction; 0: what suits database and machine
  Duration longest{60 * kUsPerSecond};  ///< of one run; the next one goes on
};

/// How many sums one transaction changes, about: the more, the fewer times the same viewer's total
/// is written; few enough that nobody waits long for it.
class ChunkSize {
 public:
  ChunkSize(std::int64_t least, std::int64_t most) : least_(least), most_(most), sums_(least) {}

  [[nodiscard]] std::int64_t sums() const { return sums_; }
  /// To write that many took so long.
  void took(Duration time);

 private:
  std::int64_t least_;
  std::int64_t most_;
  std::int64_t sums_;
};

/// Adds the ledger's rows to the sums, in chunks that are bounded by the sums that they change: the
/// more tips fall into the same, the more are counted at once. Of its jobs one counts at a time:
/// what two of them read at the same time only one could add.
class CatchUp {
 public:
  explicit CatchUp(const BusinessTime& businessTime, CatchUpLimits limits = {})
      : businessTime_(businessTime), limits_(limits) {}

  /// Up to the ledger's cursors as they are now; false when it broke off before.
  bool run(Work& work) const;
  /// Exactly up to `cutoff`, where nobody else goes further; false when it broke off before.
  bool reach(Work& work, const store::Cutoff& cutoff) const;
  /// Makes the state, and where days were cut by another zone, empties the sums, which are then
  /// added up anew. False when it broke off before.
  bool prepare(Work& work) const;

 private:
  struct Chunk;
  using Deadline = std::chrono::steady_clock::time_point;
  bool reach(Work& work, const store::Cutoff& cutoff, Deadline end) const;
  [[nodiscard]] ChunkSize chunkSize(db::Dialect dialect) const;
  Chunk gather(Work& work, const store::LaneMarks& cutoff, std::int64_t sums) const;
  void add(Work& work, const Chunk& chunk, Time readAt) const;

  const BusinessTime& businessTime_;
  CatchUpLimits limits_;
  mutable std::mutex turn_;
};

/// What there is between progress and cutoff, at most `most` tips of it, shared among the lanes:
/// those of one time fall into the same cells.
[[nodiscard]] std::vector<store::LaneSpan> nextSlice(const store::LaneMarks& progress,
                                                     const store::LaneMarks& cutoff,
                                                     std::int64_t most);

/// A round (clarifications.md rule 4): fixes a cutoff, brings the totals there, ranks everyone,
/// publishes at once.
class Rounds {
 public:
  explicit Rounds(const CatchUp& catchUp, std::size_t portraitsAtOnce = 10'000)
      : catchUp_(catchUp), portraitsAtOnce_(portraitsAtOnce) {}
  /// False when it broke off before it was published.
  bool run(Work& work) const;

 private:
  const CatchUp& catchUp_;
  std::size_t portraitsAtOnce_;
};

struct JobIntervals {
  Duration hourly;
  Duration round;
};
/// The role's jobs on DB2. `businessTime` outlives them.
std::vector<schedule::JobSpec> jobs(db::Database& db2, const BusinessTime& businessTime,
                                    JobIntervals intervals);

}  // namespace tipflow::analysis
