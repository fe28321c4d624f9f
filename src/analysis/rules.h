// The rules of analysis: ranks and tiers, ranges and what bounds them, which sums a question is
// answered from, and how many come back. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "analysis/client.h"
#include "base/enums.h"
#include "base/ids.h"
#include "base/money.h"
#include "base/result.h"
#include "base/time.h"

namespace tipflow::analysis {

// Ranks and tiers (clarifications.md rule 4) ----------------------------------------------------

/// All that a viewer ever gave, up to a cutoff.
struct LifetimeTotal {
  ViewerId viewer;
  Fen total;
  std::int64_t tips = 0;
};

struct Ranked {
  LifetimeTotal of;
  std::int64_t rank = 0;
  Tier tier = Tier::none;
};

/// Of `rank` among `viewers`, by f = (rank - 1) / viewers: f < 0.20 high, f < 0.80 middle, else
/// low. Exact: whole numbers alone.
[[nodiscard]] Tier tierOf(std::int64_t rank, std::int64_t viewers);

/// rank = 1 + number of larger values, of values in falling order: ties share one.
[[nodiscard]] std::vector<std::int64_t> ranksOf(std::span<const Fen> falling);
/// Everyone ranked, by viewer.
[[nodiscard]] std::vector<Ranked> rankAll(std::vector<LifetimeTotal> totals);

struct TierSum {
  Tier tier = Tier::none;
  std::int64_t viewers = 0;
  Fen total;
  Fen least;  ///< of one viewer; 0 where there are none
  Fen most;
};
/// High, middle and low, in this order, also where nobody is.
[[nodiscard]] std::array<TierSum, 3> tierSums(std::span<const Ranked> ranked);

// Questions -------------------------------------------------------------------------------------

inline constexpr std::int64_t kLongestRangeDays = 366;
inline constexpr std::int64_t kDefaultRangeDays = 30;
inline constexpr std::int64_t kMostItems = 20'000;

/// Whole UTC hours, [from, to).
struct HourRange {
  Time from;
  Time to;
  [[nodiscard]] std::int64_t hours() const { return (to.us - from.us) / kUsPerHour; }
};

/// `from` and `to` as they were asked for, widened to whole hours; without `to` until `now`,
/// without `from` kDefaultRangeDays. Fails with invalid_request when `to` lies before `from`,
/// `from` after `now` without one, or `to` beyond the years that can be written; with
/// range_too_long beyond kLongestRangeDays.
[[nodiscard]] Result<HourRange> hourRange(std::optional<Time> from, std::optional<Time> to,
                                          Time now);

/// By what an answer is grouped; each at most once.
struct Groups {
  bool hour = false;
  bool anchor = false;
  bool anchorGender = false;
  bool viewerGender = false;
};
/// `hour,anchor`; nothing: no group. Fails with invalid_request, naming what is not known or stands
/// twice.
[[nodiscard]] Result<Groups> parseGroups(std::string_view text);

struct CubeFilter {
  std::optional<AnchorId> anchor;
  std::optional<Gender> anchorGender;
  std::optional<Gender> viewerGender;
};

/// Which table answers with the fewest rows read.
enum class CubeSource {
  cube,    ///< every hour of every anchor
  byHour,  ///< hours of all anchors together
  byDay,   ///< whole days of each anchor, and the hours of the cube before and behind them
};
[[nodiscard]] CubeSource sourceOf(const Groups& groups, const CubeFilter& filter);

/// Fails with range_too_long when there are more than kMostItems.
[[nodiscard]] std::optional<Rejection> whyTooMany(std::size_t items);

}  // namespace tipflow::analysis
