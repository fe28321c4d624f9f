#include "analysis/gathering.h"

#include <gtest/gtest.h>

#include <limits>

namespace tipflow::analysis {
namespace {

constexpr Time kHour{500'000 * kUsPerHour};

LedgerTip tip(Time at, std::int64_t anchor, std::int64_t viewer, std::int64_t fen,
              Gender viewerGender = Gender::male) {
  return {at,           AnchorId{anchor}, ViewerId{viewer},  Gender::female,
          viewerGender, Fen{fen},         Units{fen * 5'000}};
}
Gathering gathered(std::initializer_list<LedgerTip> tips) {
  Gathering gathering([](Time hour) { return hour.us / kUsPerDay; });
  for (const auto& one : tips) gathering.add(one);
  return gathering;
}

TEST(Gathering, sums_by_hour_anchor_and_both_genders) {
  const auto sums = gathered({tip(kHour, 7, 1, 10), tip(kHour + Duration{kUsPerHour - 1}, 7, 2, 5),
                              tip(kHour + Duration{kUsPerHour}, 7, 1, 1), tip(kHour, 8, 1, 2),
                              tip(kHour, 7, 1, 3, Gender::unknown)});
  EXPECT_EQ(sums.tips(), 5);
  const auto cell = [](Time hour, std::int64_t anchor, Gender viewers) {
    return CellKey{hour, AnchorId{anchor}, Gender::female, viewers};
  };
  const std::vector<std::pair<CellKey, Sum>> expected{
      {cell(kHour, 7, Gender::unknown), {Fen{3}, 1, Units{15'000}}},
      {cell(kHour, 7, Gender::male), {Fen{15}, 2, Units{75'000}}},
      {cell(kHour, 8, Gender::male), {Fen{2}, 1, Units{10'000}}},
      {cell(kHour + Duration{kUsPerHour}, 7, Gender::male), {Fen{1}, 1, Units{5'000}}}};
  EXPECT_EQ(sums.cells(), expected);
  EXPECT_EQ(sums.sums(), 4 + 2) << "cells and viewers";
}

TEST(Gathering, sums_the_same_without_anchors_and_by_days) {
  const auto sums = gathered(
      {tip(kHour, 7, 1, 10), tip(kHour, 8, 1, 5), tip(kHour + Duration{kUsPerDay}, 8, 1, 1)});
  EXPECT_EQ(sums.hours().at({kHour, Gender::female, Gender::male}),
            (Sum{Fen{15}, 2, Units{75'000}}));
  const auto day = kHour.us / kUsPerDay;
  EXPECT_EQ(sums.days().at({day + 1, AnchorId{8}, Gender::female, Gender::male}),
            (Sum{Fen{1}, 1, Units{5'000}}));
  EXPECT_EQ(sums.payers().at(day).count(), 1);
}

TEST(Gathering, keeps_first_and_last_instant_of_a_viewer_in_whatever_order_lanes_come) {
  const auto sums = gathered({tip(kHour + Duration{5}, 7, 3, 1), tip(kHour + Duration{2}, 8, 3, 1),
                              tip(kHour + Duration{9}, 8, 2, 1)});
  const auto viewers = sums.viewers();
  ASSERT_EQ(viewers.size(), 2U);
  EXPECT_EQ(viewers[0].viewer, ViewerId{2});
  EXPECT_EQ(viewers[1].firstAt, kHour + Duration{2});
  EXPECT_EQ(viewers[1].lastAt, kHour + Duration{5});
  EXPECT_EQ(viewers[1].tips, 2);
}

TEST(Gathering, refuses_sums_beyond_63_bits) {
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  Gathering gathering([](Time) { return 0; });
  LedgerTip huge = tip(kHour, 7, 1, 0);
  huge.amount = Fen{kMost};
  gathering.add(huge);
  huge.amount = Fen{1};
  EXPECT_THROW(gathering.add(huge), BrokenInvariant);
}

}  // namespace
}  // namespace tipflow::analysis
