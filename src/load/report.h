// What people read of a run: the line while it goes on, and the table at its end.
#pragma once

#include <chrono>
#include <cstddef>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

#include "load/load.h"
#include "load/source.h"
#include "load/tally.h"
#include "load/verification.h"

namespace tipflow::load {

/// One line, rewritten every second on a terminal; elsewhere a line every five seconds.
class Progress {
 public:
  Progress(std::ostream& out, bool quiet);

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
  MonotonicUs shownUs_ = 0;
};

/// `  12 s   500/s   created 5,980   …`; rate and percentiles are the recent ones.
struct Moment {
  MonotonicUs elapsedUs = 0;
  MonotonicUs recentUs = 0;  ///< what `recent` below spans
  std::size_t open = 0;      ///< tips begun and not ended
  std::size_t waiting = 0;   ///< starts overdue
};
std::string progressLine(const Moment& moment, const Tally& total, const Tally& recent);

struct RunSummary {
  Tally tally;
  MonotonicUs measuredUs = 0;        ///< from the end of the warm-up to the end of the schedule
  std::optional<Findings> findings;  ///< nullopt: not asked for
  std::size_t open = 0;              ///< tips left in the middle, when the run was cut short
};

std::string report(const LoadOptions& options, const RunSummary& summary);
int exitCode(const RunSummary& summary);

}  // namespace tipflow::load
