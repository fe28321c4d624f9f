// Finds the newest lines that fit, in many segments: blocks are looked into from the newest on,
// until the page is full and nothing newer can follow, or the time is over.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "console/record_filter.h"
#include "console/record_segment.h"

namespace tipflow::console {

/// Where a line stands in the one order in which all are listed. Newest first: greater first.
struct Position {
  Time at;
  std::int64_t number = 0;  ///< tells lines of one instant apart, within one store

  friend auto operator<=>(const Position&, const Position&) = default;
};

inline constexpr Position kFromNewest{Time{std::numeric_limits<std::int64_t>::max()},
                                      std::numeric_limits<std::int64_t>::max()};

struct Search {
  const RecordFilter& filter;
  Time from{0};
  Time to{std::numeric_limits<std::int64_t>::max()};
  Position before = kFromNewest;
  std::size_t limit = 20;
  std::chrono::steady_clock::time_point until = std::chrono::steady_clock::time_point::max();
};

struct KeptLine {
  Position place;
  std::string text;
};

/// A page. The pages of several stores merge by position: each one's are complete down to its last
/// line, to `searchedTo`, or altogether.
struct Found {
  std::vector<KeptLine> lines;     ///< newest first
  std::optional<Position> next;    ///< what to go on before; nothing: that was all
  std::optional<Time> searchedTo;  ///< the time was over: older lines were not looked at
};

/// Told of a segment whose file is at fault; its lines are left out.
using OnDamage = std::function<void(const std::shared_ptr<Segment>&, const db::Error&)>;

/// A segment and from when its lines are, as far as is known.
struct SearchedSegment {
  std::shared_ptr<Segment> segment;
  Time oldest;
  Time newest;
};

/// `segments`: those with the newest lines first.
Found search(std::span<const SearchedSegment> segments, const Search& wanted,
             const OnDamage& onDamage);

}  // namespace tipflow::console
