#include "analysis/rules.h"

#include <gmock/gmock.h>

namespace tipflow::analysis {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<Ranked> ranked(std::initializer_list<std::int64_t> totals) {
  std::vector<LifetimeTotal> all;
  for (const auto total : totals) {
    const auto viewer = static_cast<std::int64_t>(all.size()) + 1;
    all.push_back({ViewerId{viewer}, Fen{total}, 1});
  }
  return rankAll(std::move(all));
}
std::vector<std::int64_t> ranksIn(const std::vector<Ranked>& ranked) {
  std::vector<std::int64_t> ranks;
  for (const auto& one : ranked) ranks.push_back(one.rank);
  return ranks;
}
/// h, m and l, by viewer.
std::string tiersIn(const std::vector<Ranked>& ranked) {
  std::string tiers;
  for (const auto& one : ranked) tiers += word(one.tier).front();
  return tiers;
}

// Tiers -------------------------------------------------------------------------------------------

TEST(Tiers, of_nobody_are_none) { EXPECT_TRUE(ranked({}).empty()); }

TEST(Tiers, put_a_single_viewer_on_top) { EXPECT_EQ(tiersIn(ranked({7})), "h"); }

TEST(Tiers, put_the_second_of_two_in_the_middle) {
  EXPECT_EQ(tiersIn(ranked({7, 9})), "mh");
  EXPECT_EQ(ranksIn(ranked({7, 9})), (std::vector<std::int64_t>{2, 1}));
}

TEST(Tiers, put_all_equal_viewers_on_top) {
  EXPECT_EQ(tiersIn(ranked({5, 5, 5, 5, 5, 5, 5})), "hhhhhhh");
}

TEST(Tiers, begin_exactly_at_20_and_80_percent) {
  EXPECT_EQ(tiersIn(ranked({50, 40, 30, 20, 10})), "hmmml");
  EXPECT_EQ(tiersIn(ranked({10, 9, 8, 7, 6, 5, 4, 3, 2, 1})), "hhmmmmmmll");
}

TEST(Tiers, take_ties_across_the_upper_border_all_into_the_high_one) {
  EXPECT_EQ(tiersIn(ranked({90, 80, 80, 80, 80, 5, 4, 3, 2, 1})), "hhhhhmmmll");
}

TEST(Tiers, take_ties_at_the_upper_border_all_into_the_middle_one) {
  EXPECT_EQ(tiersIn(ranked({90, 85, 80, 80, 80, 5, 4, 3, 2, 1})), "hhmmmmmmll");
}

TEST(Tiers, take_ties_across_the_lower_border_all_into_the_middle_one) {
  EXPECT_EQ(tiersIn(ranked({9, 8, 7, 6, 5, 4, 3, 1, 1, 1})), "hhmmmmmmmm");
}

TEST(Tiers, take_ties_at_the_lower_border_all_into_the_low_one) {
  EXPECT_EQ(tiersIn(ranked({9, 8, 7, 6, 5, 4, 3, 2, 1, 1})), "hhmmmmmmll");
}

TEST(Tiers, are_decided_in_whole_numbers_for_every_rank_of_every_size) {
  for (std::int64_t viewers = 1; viewers <= 500; ++viewers) {
    for (std::int64_t rank = 1; rank <= viewers; ++rank) {
      const auto percentTimesViewers = (rank - 1) * 100;
      const auto expected = percentTimesViewers < 20 * viewers   ? Tier::high
                            : percentTimesViewers < 80 * viewers ? Tier::middle
                                                                 : Tier::low;
      ASSERT_EQ(tierOf(rank, viewers), expected) << rank << " of " << viewers;
    }
  }
}

TEST(Tiers, are_exact_where_floating_point_is_not) {
  constexpr std::int64_t kViewers = 5 * (std::int64_t{1} << 55) + 5;
  constexpr std::int64_t kFifth = kViewers / 5;
  EXPECT_EQ(tierOf(kFifth, kViewers), Tier::high) << "f is one viewer short of 0.20";
  EXPECT_EQ(tierOf(kFifth + 1, kViewers), Tier::middle) << "f is 0.20";
}

TEST(Ranks, are_shared_by_ties_and_count_everyone_above) {
  const std::vector<Fen> falling{Fen{9}, Fen{7}, Fen{7}, Fen{7}, Fen{3}};
  EXPECT_THAT(ranksOf(falling), ElementsAre(1, 2, 2, 2, 5));
}

TEST(TierSums, hold_count_sum_and_bounds_of_each_tier_also_of_empty_ones) {
  const auto sums = tierSums(ranked({50, 40, 30, 20, 10}));
  EXPECT_EQ(sums[0].tier, Tier::high);
  EXPECT_EQ(sums[1].tier, Tier::middle);
  EXPECT_EQ(sums[1].viewers, 3);
  EXPECT_EQ(sums[1].total, Fen{90});
  EXPECT_EQ(sums[1].least, Fen{20});
  EXPECT_EQ(sums[1].most, Fen{40});
  EXPECT_EQ(sums[2].tier, Tier::low);
  EXPECT_EQ(sums[2].total, Fen{10});
  EXPECT_EQ(tierSums(ranked({5, 5}))[2].viewers, 0);
}

// Ranges ------------------------------------------------------------------------------------------

Time at(const char* text) { return *parseTime(text); }
const Time kNow = at("2026-03-14T09:30:00Z");

TEST(HourRange, is_widened_to_whole_hours) {
  const auto range = hourRange(at("2026-03-01T10:20:00Z"), at("2026-03-01T11:00:01Z"), kNow);
  ASSERT_TRUE(range);
  EXPECT_EQ(range->from, at("2026-03-01T10:00:00Z"));
  EXPECT_EQ(range->to, at("2026-03-01T12:00:00Z"));
  EXPECT_EQ(range->hours(), 2);
}

TEST(HourRange, stays_as_it_is_on_whole_hours_and_may_be_empty) {
  const auto hour = at("2026-03-01T10:00:00Z");
  const auto range = hourRange(hour, hour, kNow);
  ASSERT_TRUE(range);
  EXPECT_EQ(range->hours(), 0);
}

TEST(HourRange, ends_now_and_covers_30_days_when_nothing_is_said) {
  const auto range = hourRange({}, {}, kNow);
  ASSERT_TRUE(range);
  EXPECT_EQ(range->to, at("2026-03-14T10:00:00Z"));
  EXPECT_EQ(range->from, at("2026-02-12T10:00:00Z"));
}

TEST(HourRange, does_not_reach_before_1970) {
  const auto range = hourRange({}, at("1970-01-02T00:00:00Z"), kNow);
  ASSERT_TRUE(range);
  EXPECT_EQ(range->from, Time{});
}

TEST(HourRange, is_refused_when_it_is_reversed_even_within_one_hour) {
  for (const auto* to : {"2026-03-01T10:19:59Z", "2025-03-01T00:00:00Z"}) {
    const auto range = hourRange(at("2026-03-01T10:20:00Z"), at(to), kNow);
    ASSERT_FALSE(range) << to;
    EXPECT_EQ(range.error().code, ErrorCode::invalid_request);
    ASSERT_EQ(range.error().errors.size(), 1U);
    EXPECT_EQ(range.error().errors[0].field, "to");
  }
}

TEST(HourRange, that_begins_after_now_is_the_fault_of_its_beginning) {
  const auto range = hourRange(at("2027-01-01T00:00:00Z"), {}, kNow);
  ASSERT_FALSE(range);
  EXPECT_EQ(range.error().errors.at(0).field, "from");
}

TEST(HourRange, ends_in_a_year_that_can_be_written) {
  EXPECT_TRUE(hourRange({}, at("9999-12-30T00:00:00Z"), kNow));
  const auto range = hourRange({}, at("9999-12-31T23:59:59.999Z"), kNow);
  ASSERT_FALSE(range);
  EXPECT_EQ(range.error().errors.at(0).field, "to");
}

TEST(HourRange, covers_366_days_and_not_an_hour_more_and_says_so) {
  const auto to = at("2026-03-01T00:00:00Z");
  EXPECT_TRUE(hourRange(to - Duration{366 * kUsPerDay}, to, kNow));
  const auto longer = hourRange(to - Duration{366 * kUsPerDay + 1}, to, kNow);
  ASSERT_FALSE(longer);
  EXPECT_EQ(longer.error().code, ErrorCode::range_too_long);
  EXPECT_THAT(longer.error().detail, HasSubstr("366"));
}

// Groups ------------------------------------------------------------------------------------------

TEST(Groups, may_be_any_of_the_four_in_any_order_or_none) {
  EXPECT_FALSE(parseGroups("")->hour);
  const auto all = parseGroups("viewerGender,hour,anchorGender,anchor");
  ASSERT_TRUE(all);
  EXPECT_TRUE(all->hour && all->anchor && all->anchorGender && all->viewerGender);
  const auto one = parseGroups("anchorGender");
  ASSERT_TRUE(one);
  EXPECT_TRUE(one->anchorGender && !one->hour && !one->anchor && !one->viewerGender);
}

TEST(Groups, that_are_not_known_or_stand_twice_are_refused_by_name) {
  for (const auto* text : {"day", "hour,", ",hour", "hour,,anchor", "hour,hour", "Hour", " hour"}) {
    const auto groups = parseGroups(text);
    ASSERT_FALSE(groups) << text;
    ASSERT_EQ(groups.error().errors.size(), 1U) << text;
    EXPECT_EQ(groups.error().errors[0].field, "groupBy");
  }
}

TEST(CubeSource, reads_hours_of_single_anchors_only_where_it_must) {
  const Groups hour{.hour = true};
  const Groups anchor{.anchor = true};
  const Groups both{.hour = true, .anchor = true};
  const CubeFilter one{AnchorId{7}, {}, {}};
  EXPECT_EQ(sourceOf({}, {}), CubeSource::byHour);
  EXPECT_EQ(sourceOf(hour, {{}, Gender::male, Gender::female}), CubeSource::byHour);
  EXPECT_EQ(sourceOf(anchor, {}), CubeSource::byDay);
  EXPECT_EQ(sourceOf(both, {}), CubeSource::cube);
  EXPECT_EQ(sourceOf(anchor, one), CubeSource::cube);
  EXPECT_EQ(sourceOf({}, one), CubeSource::cube);
}

TEST(Answers, hold_20000_items_and_not_one_more) {
  EXPECT_FALSE(whyTooMany(20'000));
  const auto reason = whyTooMany(20'001);
  ASSERT_TRUE(reason);
  EXPECT_EQ(reason->code, ErrorCode::range_too_long);
  EXPECT_THAT(reason->detail, HasSubstr("20000"));
}

}  // namespace
}  // namespace tipflow::analysis
