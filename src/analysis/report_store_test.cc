// Every question to the cube, on both databases, against a count over the tips themselves.
#include "analysis/report_store.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "store/test_ledger.h"

namespace tipflow::analysis {
namespace {

class ReportStore : public ::testing::TestWithParam<fixture::Engine> {
 protected:
  void SetUp() override {
    ledger.add(1, 400, Duration{1'300 * kUsPerSecond});
    ledger.add(2, 400, Duration{900 * kUsPerSecond});
    PlainWork work(database);
    ASSERT_TRUE(CatchUp(days).run(work));
  }

  /// By the tips, one by one.
  std::map<store::CubeKey, Sum> counted(const store::CubeQuestion& asked) const {
    std::map<store::CubeKey, Sum> sums;
    const auto& groups = asked.groups;
    const bool grouped = groups.hour || groups.anchor || groups.anchorGender || groups.viewerGender;
    if (!grouped) sums[{0, 0, 0, 0}];
    for (const auto& tip : ledger.tips()) {
      const auto hour = tip.acceptedAt - tip.acceptedAt % kUsPerHour;
      const auto& filter = asked.filter;
      if (hour < asked.range.from.us || hour >= asked.range.to.us) continue;
      if (filter.anchor && filter.anchor->value != tip.anchor) continue;
      if (filter.anchorGender && static_cast<int>(*filter.anchorGender) != tip.anchorGender) {
        continue;
      }
      if (filter.viewerGender && static_cast<int>(*filter.viewerGender) != tip.viewerGender) {
        continue;
      }
      sums[{groups.hour ? hour : 0, groups.anchor ? tip.anchor : 0,
            groups.anchorGender ? tip.anchorGender : 0, groups.viewerGender ? tip.viewerGender : 0}]
          .add({Fen{tip.amount}, 1, Units{tip.amount * tip.shareBp}});
    }
    return sums;
  }
  store::CubeQuestion question(const HourRange& range, Groups groups, CubeFilter filter) const {
    store::CubeQuestion asked{range, groups, filter, {}};
    auto first = days.localHour(range.from).day;
    if (days.firstHourOf(first) < range.from) ++first;
    const auto end = days.localHour(range.to).day;
    if (first < end) {
      asked.wholeDays =
          store::CubeQuestion::Days{first, end, {days.firstHourOf(first), days.firstHourOf(end)}};
    }
    return asked;
  }
  [[nodiscard]] Time newest() const {
    Time newest;
    for (const auto& tip : ledger.tips()) newest = std::max(newest, Time{tip.acceptedAt});
    return newest;
  }

  fixture::TestDatabase database{GetParam(), "db2"};
  std::unique_ptr<db::Connection> c = database.connect();
  TestLedger ledger{*c};
  BusinessTime days{"Asia/Shanghai"};
};
TIPFLOW_ON_BOTH(ReportStore);

TEST_P(ReportStore, answer_any_combination_of_groups_and_filters_over_any_hours) {
  const Time first = startOfHour(Time{ledger.tips().front().acceptedAt});
  const Duration hour{kUsPerHour};
  const std::vector<HourRange> ranges{
      {first, startOfHour(newest()) + hour},
      {first + 5 * hour, first + 60 * hour},
      {first + 7 * hour, first + 31 * hour},
      {first + 3 * hour, first + 4 * hour},
      {first + 3 * hour, first + 3 * hour},
      {days.firstHourOf(days.localHour(first).day + 1),
       days.firstHourOf(days.localHour(first).day + 3)},
  };
  int asked = 0;
  for (const auto& range : ranges) {
    for (unsigned by = 0; by < 16; ++by) {
      const Groups groups{(by & 1) != 0, (by & 2) != 0, (by & 4) != 0, (by & 8) != 0};
      for (unsigned on = 0; on < 8; ++on) {
        CubeFilter filter;
        if ((on & 1) != 0) filter.anchor = AnchorId{4};
        if ((on & 2) != 0) filter.anchorGender = Gender::male;
        if ((on & 4) != 0) filter.viewerGender = Gender::unknown;
        const auto ask = question(range, groups, filter);
        ASSERT_EQ(store::cube(*c, ask), counted(ask))
            << formatTime(range.from) << " to " << formatTime(range.to) << ", groups " << by
            << ", filters " << on;
        ++asked;
      }
    }
  }
  EXPECT_EQ(asked, 6 * 16 * 8);
}

TEST_P(ReportStore, know_who_paid_on_which_day) {
  std::map<std::int64_t, std::set<std::int64_t>> expected;
  for (const auto& tip : ledger.tips()) {
    expected[days.localHour(startOfHour(Time{tip.acceptedAt})).day].insert(tip.viewer);
  }
  const auto first = expected.begin()->first;
  const auto end = expected.rbegin()->first + 1;
  const auto found = store::payers(*c, first, end);
  ASSERT_EQ(found.size(), expected.size());
  for (const auto& [day, viewers] : expected) {
    EXPECT_EQ(found.at(day).count(), static_cast<std::int64_t>(viewers.size())) << day;
    for (const auto viewer : viewers) EXPECT_TRUE(found.at(day).has(ViewerId{viewer}));
  }
  EXPECT_EQ(store::payers(*c, first + 1, first + 2).size(), 1U);
}

TEST_P(ReportStore, cut_an_answer_that_is_too_long_where_that_shows) {
  c->begin();
  std::vector<db::Param> values;
  for (std::int64_t i = 0; i < kMostItems + 50; ++i) {
    values.insert(values.end(), {i * kUsPerHour, 1, 1, 1, 1, 1, 1});
  }
  c->insertRows(
      "INSERT INTO hourly_tip (hour, anchor_id, anchor_gender, viewer_gender, amount, tips, "
      "anchor_units)",
      7, values, "");
  const HourRange range{Time{}, Time{(kMostItems + 50) * kUsPerHour}};
  const store::CubeQuestion ask{range, Groups{.hour = true, .anchor = true}, {}, {}};
  EXPECT_TRUE(whyTooMany(store::cube(*c, ask).size()));
  c->rollback();
}

}  // namespace
}  // namespace tipflow::analysis
