// The analysis role's world as its API shows it. Answers; what is asked stands in query parameters.
#pragma once

#include <boost/describe.hpp>

#include <optional>
#include <string>
#include <vector>

#include "analysis/client.h"
#include "platform/json.h"

namespace tipflow::analysis {

enum class Step { hour, day };

/// `asOf` of each answer: README.md says what it means; null before the first catch-up.
struct ShownSum {
  Fen amount;
  std::int64_t tips = 0;
};
BOOST_DESCRIBE_STRUCT(ShownSum, (), (amount, tips))

/// What it is not grouped by does not stand in the answer.
struct HourlyItem {
  std::optional<Time> hour;
  std::optional<AnchorId> anchorId;
  std::optional<std::string> anchorName;
  std::optional<Gender> anchorGender;
  std::optional<Gender> viewerGender;
  Fen amount;
  std::int64_t tips = 0;
};
void write(std::string& out, const HourlyItem& item);

struct Hourly {
  Time from;
  Time to;
  std::vector<HourlyItem> items;
  ShownSum total;
  std::optional<Time> asOf;
};
BOOST_DESCRIBE_STRUCT(Hourly, (), (from, to, items, total, asOf))

struct ShownTier {
  Tier tier = Tier::none;
  std::int64_t viewers = 0;
  Fen total;
  std::optional<Fen> least;
  std::optional<Fen> most;
};
BOOST_DESCRIBE_STRUCT(ShownTier, (), (tier, viewers, total, least, most))

struct Tiers {
  std::optional<std::int64_t> round;
  std::int64_t viewers = 0;
  std::vector<ShownTier> items;
  std::optional<Time> asOf;  ///< of the round
};
BOOST_DESCRIBE_STRUCT(Tiers, (), (round, viewers, items, asOf))

struct ShownRound {
  std::int64_t round = 0;
  Time startedAt;
  std::optional<Time> cutoff;
  std::optional<std::int64_t> tips;
  std::optional<std::int64_t> viewers;
  std::optional<Time> publishedAt;
  std::optional<std::int64_t> durationMs;
};
BOOST_DESCRIBE_STRUCT(ShownRound, (),
                      (round, startedAt, cutoff, tips, viewers, publishedAt, durationMs))

struct AskedRound {
  Time requestedAt;
  std::optional<std::int64_t> currentRound;
};
BOOST_DESCRIBE_STRUCT(AskedRound, (), (requestedAt, currentRound))

struct MetricsAnswer {
  std::string fromDay;
  std::string toDay;
  std::int64_t tips = 0;
  Fen revenue;
  Units anchorUnits;
  Units platformUnits;
  std::int64_t payingViewers = 0;
  std::optional<Fen> averagePerViewer;
  std::int64_t repeatViewers = 0;
  std::optional<double> repeatRate;
  std::optional<Time> asOf;
};
BOOST_DESCRIBE_STRUCT(MetricsAnswer, (),
                      (fromDay, toDay, tips, revenue, anchorUnits, platformUnits, payingViewers,
                       averagePerViewer, repeatViewers, repeatRate, asOf))

struct RankedAnchor {
  std::int64_t rank = 0;
  AnchorId anchorId;
  std::optional<std::string> anchorName;
  Fen amount;
  std::int64_t tips = 0;
};
BOOST_DESCRIBE_STRUCT(RankedAnchor, (), (rank, anchorId, anchorName, amount, tips))

struct AnchorRanking {
  Time from;
  Time to;
  std::vector<RankedAnchor> items;
  std::int64_t anchors = 0;
  ShownSum total;
  std::optional<Time> asOf;
};
BOOST_DESCRIBE_STRUCT(AnchorRanking, (), (from, to, items, anchors, total, asOf))

struct GenderSum {
  Gender viewerGender = Gender::unknown;
  Fen amount;
  std::int64_t tips = 0;
};
BOOST_DESCRIBE_STRUCT(GenderSum, (), (viewerGender, amount, tips))

struct HourSum {
  Time hour;
  Fen amount;
  std::int64_t tips = 0;
};
BOOST_DESCRIBE_STRUCT(HourSum, (), (hour, amount, tips))

struct AnchorSummary {
  AnchorId anchorId;
  std::optional<std::string> anchorName;
  Time from;
  Time to;
  Fen amount;
  std::int64_t tips = 0;
  Units anchorUnits;
  std::optional<std::int64_t> rank;
  std::int64_t anchors = 0;
  std::int64_t hours = 0;
  std::optional<HourSum> bestHour;
  std::vector<GenderSum> viewerGenders;
  ShownSum before;
  std::optional<Time> asOf;
};
BOOST_DESCRIBE_STRUCT(AnchorSummary, (),
                      (anchorId, anchorName, from, to, amount, tips, anchorUnits, rank, anchors,
                       hours, bestHour, viewerGenders, before, asOf))

struct HeatmapItem {
  std::int64_t weekday = 1;  ///< 1 Monday to 7 Sunday
  std::int64_t hour = 0;
  Fen amount;
  std::int64_t tips = 0;
};
BOOST_DESCRIBE_STRUCT(HeatmapItem, (), (weekday, hour, amount, tips))

struct Heatmap {
  Time from;
  Time to;
  std::string timeZone;
  std::vector<HeatmapItem> items;
  std::optional<Time> asOf;
};
BOOST_DESCRIBE_STRUCT(Heatmap, (), (from, to, timeZone, items, asOf))

struct RetentionItem {
  std::string day;
  std::int64_t viewers = 0;
  std::vector<std::int64_t> returned;
};
BOOST_DESCRIBE_STRUCT(RetentionItem, (), (day, viewers, returned))

struct Retention {
  std::string fromDay;
  std::string toDay;
  std::int64_t stepDays = 1;
  std::vector<RetentionItem> items;
  std::optional<Time> asOf;
};
BOOST_DESCRIBE_STRUCT(Retention, (), (fromDay, toDay, stepDays, items, asOf))

struct TrendItem {
  Time at;
  std::optional<std::string> day;
  Fen amount;
  std::int64_t tips = 0;
  std::optional<std::int64_t> payingViewers;
};
BOOST_DESCRIBE_STRUCT(TrendItem, (), (at, day, amount, tips, payingViewers))

struct Trend {
  Time from;
  Time to;
  Step step = Step::hour;
  std::vector<TrendItem> items;
  ShownSum total;
  std::optional<Time> asOf;
};
BOOST_DESCRIBE_STRUCT(Trend, (), (from, to, step, items, total, asOf))

}  // namespace tipflow::analysis

template <>
struct tipflow::EnumWords<tipflow::analysis::Step> {
  using S = analysis::Step;
  static constexpr std::array values{std::pair{std::string_view{"hour"}, S::hour},
                                     std::pair{std::string_view{"day"}, S::day}};
};
