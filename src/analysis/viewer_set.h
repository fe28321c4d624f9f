// Sets of viewers as bits, and what they tell of who comes back. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"

namespace tipflow::analysis {

/// A set of viewers, as bits. Grows with the largest id.
class ViewerSet {
 public:
  static constexpr std::int64_t kBlockViewers = 32'768;
  static constexpr std::size_t kBlockBytes = kBlockViewers / 8;

  void add(ViewerId viewer);
  /// Adds those of a block: viewers from `block` * kBlockViewers on. Throws BrokenInvariant when it
  /// is not one.
  void addBlock(std::int64_t block, std::string_view bits);
  void add(const ViewerSet& other);
  [[nodiscard]] std::int64_t count() const;
  [[nodiscard]] std::int64_t countShared(const ViewerSet& other) const;
  /// Those of `other` that are also here.
  [[nodiscard]] ViewerSet shared(const ViewerSet& other) const;
  [[nodiscard]] bool has(ViewerId viewer) const;
  /// The blocks that are not empty, in order.
  [[nodiscard]] std::vector<std::pair<std::int64_t, std::string>> blocks() const;

 private:
  static constexpr std::size_t kBlockWords = kBlockViewers / 64;
  using Block = std::array<std::uint64_t, kBlockWords>;
  std::map<std::int64_t, Block> blocks_;
};

/// Periods of a retention answer: days up to here, weeks beyond.
inline constexpr std::int64_t kDailyRetentionDays = 31;
[[nodiscard]] constexpr std::int64_t retentionStepDays(std::int64_t days) {
  return days <= kDailyRetentionDays ? 1 : 7;
}

/// Of each period, how many paid in it, and how many of them in each later one.
struct Cohort {
  std::int64_t viewers = 0;
  std::vector<std::int64_t> returned;
};
[[nodiscard]] std::vector<Cohort> cohortsOf(std::span<const ViewerSet> periods);

/// Those who are in any of the sets, and in more than one.
struct Repeats {
  std::int64_t viewers = 0;
  std::int64_t again = 0;
};
[[nodiscard]] Repeats repeatsOf(std::span<const ViewerSet> days);

}  // namespace tipflow::analysis
