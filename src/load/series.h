// Counts of a run as they come in: rows of about a second for the reports, what is recent for the
// line on the terminal, and the total.
#pragma once

#include <deque>
#include <functional>
#include <optional>

#include "load/summary.h"

namespace tipflow::load {

class Series {
 public:
  /// `schedule` is that of all threads together, in tips; nullopt in a closed loop. The run starts
  /// at `startUs`; no start is intended at or after `endUs`.
  Series(std::optional<Schedule> schedule, MonotonicUs startUs, MonotonicUs endUs);

  /// Whether the row under way has lasted for its second.
  [[nodiscard]] bool due(MonotonicUs now) const { return now >= nextUs_; }
  /// Adds what was counted to the row under way.
  void add(const Tally& tally);
  /// Ends the row under way.
  void close(MonotonicUs now, std::uint64_t open, std::uint64_t waiting);
  /// Ends the run; a short rest joins the last row.
  void finish(MonotonicUs now, std::uint64_t open);

  [[nodiscard]] const Tally& total() const { return total_; }
  [[nodiscard]] std::deque<SeriesRow> takeRows() { return std::move(rows_); }
  /// What was counted in closed rows since it was last asked for, and since when that was.
  struct Recent {
    Tally tally;
    MonotonicUs spanUs = 0;
  };
  Recent takeRecent();

 private:
  std::optional<Schedule> schedule_;
  MonotonicUs startUs_;
  MonotonicUs endUs_;
  MonotonicUs rowFromUs_;
  MonotonicUs lastFromUs_;
  MonotonicUs recentFromUs_;
  MonotonicUs nextUs_;
  Tally row_;
  Tally last_;  // of the last closed row
  Tally recent_;
  Tally total_;
  std::deque<SeriesRow> rows_;
};

}  // namespace tipflow::load
