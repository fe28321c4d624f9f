// Durations counted by size, to three significant digits: percentiles of any number of values in
// a fixed 190 KB. Not shared between threads: give each its own and merge.
#pragma once

#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

namespace tipflow {

/// Values are whole microseconds. Up to 2,047 they are counted exactly; above, each power of two
/// is cut into 1,024 equal steps, so a value is known to better than 0.1 % (as in HdrHistogram).
class Histogram {
 public:
  using Value = std::chrono::microseconds;

  /// The largest value told apart, 71 minutes; larger ones are counted as this one.
  static constexpr Value kMost{(std::int64_t{1} << 32) - 1};

  Histogram();

  /// Counts `value` `times` times. Negative values are counted as 0.
  void record(Value value, std::uint64_t times = 1);
  void merge(const Histogram& other);
  void clear();

  [[nodiscard]] std::uint64_t count() const { return count_; }
  /// The largest value recorded, exactly; 0 when there is none.
  [[nodiscard]] Value max() const { return Value{max_}; }
  /// The smallest recorded value that at least `percent` of all values do not exceed, to within
  /// its step (the step's upper end, never above max()); 0 when there is none.
  [[nodiscard]] Value percentile(double percent) const;
  /// All that was recorded, to within its step (the step's upper end, never above max()), with how
  /// often, in rising order. Recording these makes an equal histogram.
  [[nodiscard]] std::vector<std::pair<Value, std::uint64_t>> steps() const;

 private:
  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  std::int64_t max_ = 0;
};

}  // namespace tipflow
