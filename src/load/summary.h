// What a run comes to: everything its reports are made of.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "load/load.h"
#include "load/source.h"
#include "load/stages.h"
#include "load/sum_check.h"
#include "load/tally.h"
#include "load/verification.h"

namespace tipflow::load {

/// About a second of the run. Rates are per second of the time it really spans.
struct SeriesRow {
  double atSeconds = 0;                          ///< its end, from the start of the run
  std::optional<double> intendedPerSecond = {};  ///< nullopt: a closed loop
  double perSecond = 0;                          ///< acknowledged tips, with repeats
  double errorsPerSecond = 0;                    ///< requests without a 2xx
  /// Of tips whose start was intended after the warm-up; nullopt when there was none.
  std::optional<double> p50Ms = {};
  std::optional<double> p99Ms = {};
  std::optional<double> maxMs = {};
  std::optional<double> serviceP99Ms = {};
  std::uint64_t open = 0;
  std::uint64_t waiting = 0;
  std::uint64_t droppedStarts = 0;
};

/// What the generator itself used while the tips ran.
struct OwnCost {
  double userSeconds = 0;
  double systemSeconds = 0;
  double wallSeconds = 0;
  double memoryMiB = 0;  ///< most that was resident

  [[nodiscard]] double cores() const {
    return wallSeconds > 0 ? (userSeconds + systemSeconds) / wallSeconds : 0;
  }
  [[nodiscard]] double usPerRequest(std::uint64_t requests) const {
    return requests > 0 ? (userSeconds + systemSeconds) * 1e6 / static_cast<double>(requests) : 0;
  }
};

/// What was asked for, read and in units.
struct Settings {
  LoadOptions options;
  std::vector<Stage> stages;
  std::optional<double> seconds;  ///< measured; nullopt: until a signal or the last of the tips

  [[nodiscard]] bool isOpenLoop() const { return !stages.empty() || options.rate > 0; }
  [[nodiscard]] bool inBatches() const { return options.batch.has_value(); }
  [[nodiscard]] int batch() const { return options.batch.value_or(1); }
  /// Whether it has an end of its own.
  [[nodiscard]] bool endless() const { return !seconds && !options.tips; }
};

struct RunSummary {
  Time startedAt;
  Tally tally;
  MonotonicUs runUs = 0;  ///< from the first start to the last end
  /// From the end of the warm-up to the end of the schedule, or to the last end of `tips`.
  MonotonicUs measuredUs = 0;
  std::deque<SeriesRow> series;
  OwnCost cost;
  Verify verified = Verify::none;    ///< how: all, sample, sums or none
  std::optional<Findings> findings;  ///< nullopt: nothing was looked up
  std::optional<SumFindings> sums;   ///< nullopt: not compared
  std::size_t open = 0;              ///< tips left in the middle, when the run was cut short

  /// Acknowledged in the measured time, second sendings left out.
  [[nodiscard]] double tipsPerSecond() const {
    return perSecond(tally.measured - tally.measuredRepeats);
  }
  [[nodiscard]] double perSecond(std::uint64_t count) const {
    return measuredUs > 0 ? static_cast<double>(count) * 1e6 / static_cast<double>(measuredUs) : 0;
  }
};

/// What a row of the series is made of, beside the tally of its time.
struct RowMoment {
  MonotonicUs fromUs = 0;  ///< from the start of the run
  MonotonicUs untilUs = 0;
  std::optional<double> intended;  ///< starts
  std::uint64_t open = 0;
  std::uint64_t waiting = 0;
};
SeriesRow makeRow(const RowMoment& moment, const Tally& tally);

/// kLoadFine or kLoadBroken: whether the books are right, with at least one tip in them. `alone`:
/// nobody else tipped meanwhile.
int booksExitCode(const RunSummary& summary, bool alone);

}  // namespace tipflow::load
