#include "analysis/rules.h"

#include <fmt/format.h>

#include <algorithm>

namespace tipflow::analysis {
namespace {

/// 9999-12-30: widened to whole hours or days of any zone, a range still ends in a year that can be
/// written.
constexpr Time kLatestEnd{253'402'128'000 * kUsPerSecond};

Time endOfHour(Time time) {
  const Time start = startOfHour(time);
  return start == time ? start : start + Duration{kUsPerHour};
}

Rejection badField(const char* field, ErrorCode code, std::string detail) {
  return {ErrorCode::invalid_request, {}, {{field, code, std::move(detail)}}};
}

bool* groupOf(Groups& groups, std::string_view word) {
  if (word == "hour") return &groups.hour;
  if (word == "anchor") return &groups.anchor;
  if (word == "anchorGender") return &groups.anchorGender;
  if (word == "viewerGender") return &groups.viewerGender;
  return nullptr;
}

std::size_t placeOf(Tier tier) {
  return static_cast<std::size_t>(Tier::high) - static_cast<std::size_t>(tier);
}

}  // namespace

Tier tierOf(std::int64_t rank, std::int64_t viewers) {
  const auto above = rank - 1;
  if (5 * above < viewers) return Tier::high;
  return 5 * above < 4 * viewers ? Tier::middle : Tier::low;
}

std::vector<std::int64_t> ranksOf(std::span<const Fen> falling) {
  std::vector<std::int64_t> ranks;
  ranks.reserve(falling.size());
  for (std::size_t i = 0; i < falling.size(); ++i) {
    const bool tie = i > 0 && falling[i] == falling[i - 1];
    ranks.push_back(tie ? ranks.back() : static_cast<std::int64_t>(i) + 1);
  }
  return ranks;
}

std::vector<Ranked> rankAll(std::vector<LifetimeTotal> totals) {
  std::sort(totals.begin(), totals.end(),
            [](const LifetimeTotal& a, const LifetimeTotal& b) { return a.total > b.total; });
  std::vector<Fen> falling;
  falling.reserve(totals.size());
  for (const auto& one : totals) falling.push_back(one.total);
  const auto ranks = ranksOf(falling);
  const auto viewers = static_cast<std::int64_t>(totals.size());
  std::vector<Ranked> ranked;
  ranked.reserve(totals.size());
  for (std::size_t i = 0; i < totals.size(); ++i) {
    ranked.push_back({totals[i], ranks[i], tierOf(ranks[i], viewers)});
  }
  std::sort(ranked.begin(), ranked.end(),
            [](const Ranked& a, const Ranked& b) { return a.of.viewer < b.of.viewer; });
  return ranked;
}

std::array<TierSum, 3> tierSums(std::span<const Ranked> ranked) {
  std::array<TierSum, 3> sums{TierSum{Tier::high, 0, {}, {}, {}},
                              TierSum{Tier::middle, 0, {}, {}, {}},
                              TierSum{Tier::low, 0, {}, {}, {}}};
  for (const auto& one : ranked) {
    auto& sum = sums[placeOf(one.tier)];
    sum.least = sum.viewers == 0 ? one.of.total : std::min(sum.least, one.of.total);
    sum.most = std::max(sum.most, one.of.total);
    ++sum.viewers;
    sum.total += one.of.total;
  }
  return sums;
}

Result<HourRange> hourRange(std::optional<Time> from, std::optional<Time> to, Time now) {
  if (to && *to > kLatestEnd) {
    return badField("to", ErrorCode::out_of_range, "must not lie after 9999-12-30");
  }
  const Time end = endOfHour(to.value_or(now));
  const Time usual{std::max<std::int64_t>(0, end.us - kDefaultRangeDays * kUsPerDay)};
  const Time start = startOfHour(from.value_or(usual));
  if (from && *from > to.value_or(end)) {
    return to ? badField("to", ErrorCode::out_of_range, "must not lie before from")
              : badField("from", ErrorCode::out_of_range, "must not lie after now");
  }
  if (end - start > Duration{kLongestRangeDays * kUsPerDay}) {
    return Rejection{ErrorCode::range_too_long,
                     fmt::format("an answer covers at most {} days", kLongestRangeDays)};
  }
  return HourRange{start, end};
}

Result<Groups> parseGroups(std::string_view text) {
  constexpr std::string_view kWords = "hour, anchor, anchorGender, viewerGender";
  Groups groups;
  while (!text.empty()) {
    const auto comma = text.find(',');
    const auto word = text.substr(0, comma);
    auto* group = groupOf(groups, word);
    if (group == nullptr) {
      return badField("groupBy", ErrorCode::invalid_format,
                      fmt::format("must be a list of: {}", kWords));
    }
    if (*group) {
      return badField("groupBy", ErrorCode::invalid_format, fmt::format("{} stands twice", word));
    }
    *group = true;
    if (comma == text.size() - 1) {
      return badField("groupBy", ErrorCode::invalid_format, "must not end in a comma");
    }
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
  }
  return groups;
}

CubeSource sourceOf(const Groups& groups, const CubeFilter& filter) {
  if (filter.anchor) return CubeSource::cube;
  if (!groups.anchor) return CubeSource::byHour;
  return groups.hour ? CubeSource::cube : CubeSource::byDay;
}

std::optional<Rejection> whyTooMany(std::size_t items) {
  if (items <= static_cast<std::size_t>(kMostItems)) return std::nullopt;
  return Rejection{ErrorCode::range_too_long,
                   fmt::format("the answer would have more than {} items: ask for a shorter range, "
                               "or group by less",
                               kMostItems)};
}

}  // namespace tipflow::analysis
