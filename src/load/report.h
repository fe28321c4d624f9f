// What people read of a run: the line while it goes on, and the table at its end.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "load/load.h"
#include "load/source.h"
#include "load/summary.h"
#include "load/tally.h"
#include "load/threshold.h"

namespace tipflow::load {

/// One line, rewritten every second on a terminal; elsewhere a line every five seconds.
class Progress {
 public:
  Progress(std::ostream& out, bool quiet, MonotonicUs now);

  /// Whether it is time for another line.
  [[nodiscard]] bool due(MonotonicUs now) const;
  void show(const std::string& line, MonotonicUs now);
  /// Ends the line that is being rewritten, so that other text can follow.
  void finish();

 private:
  std::ostream& out_;
  bool quiet_;
  bool terminal_;
  bool unfinished_ = false;
  MonotonicUs shownUs_;
};

/// `  12 s   500/s   created 5,980   …`; rate and percentiles are the recent ones.
struct Moment {
  MonotonicUs elapsedUs = 0;
  MonotonicUs recentUs = 0;  ///< what `recent` below spans
  std::size_t open = 0;      ///< tips begun and not ended
  std::size_t waiting = 0;   ///< starts overdue
};
std::string progressLine(const Moment& moment, const Tally& total, const Tally& recent);

std::string report(const Settings& settings, const RunSummary& summary);
/// Over books and thresholds.
int exitCode(const Settings& settings, const RunSummary& summary);

// What the other reports say in the same words
// -----------------------------------------------------

/// Every threshold, judged.
std::vector<Verdict> verdicts(const Settings& settings, const RunSummary& summary);
/// `intended start`, or `sending` in a closed loop.
std::string_view latencyFrom(const Settings& settings);
/// `auto`, `all`, … as they are asked for.
std::string_view verifyName(Verify verify);
/// `Sum of acknowledged = sum in the books: 1,234 fen, 12 tips.`
std::string sentence(std::string_view what, const SumFinding& finding);
/// 12,345,678, whatever the locale.
std::string grouped(std::uint64_t number);
double inMs(Histogram::Value value);

struct Percentile {
  double percent;
  std::string_view member;  ///< in JSON
  std::string_view name;    ///< for people
};
inline constexpr std::array kPercentiles{
    Percentile{50, "p50Ms", "p50"}, Percentile{90, "p90Ms", "p90"}, Percentile{99, "p99Ms", "p99"},
    Percentile{99.9, "p999Ms", "p99.9"}, Percentile{99.99, "p9999Ms", "p99.99"}};

struct CurvePoint {
  double percent = 0;
  double ms = 0;
};
/// Points ever closer to 100 %, as far as there are values to tell them apart.
std::vector<CurvePoint> percentileCurve(const Histogram& times);

}  // namespace tipflow::load
