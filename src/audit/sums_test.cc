// The auditor of analysis on rows: silent about sound sums, and every kind of departure is found.
#include "audit/sums.h"

#include <gmock/gmock.h>

namespace tipflow::audit {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kHour = 3'600'000'000;
constexpr std::int64_t kLane = 7;
constexpr std::int64_t kBlock = 32'768;

std::int64_t tipId(std::int64_t seq) { return (kLane << 33) + seq; }

std::string bitsOf(std::initializer_list<std::int64_t> viewers) {
  std::string bits(kBlock / 8, '\0');
  for (const auto viewer : viewers) {
    auto& byte = bits[static_cast<std::size_t>(viewer / 8)];
    byte = static_cast<char>(static_cast<unsigned char>(byte) | (1U << (viewer % 8)));
  }
  return bits;
}

/// Four tips of lane 7: three are counted and ranked, the fourth is beyond. Viewers 1, 2 and 1.
struct Rows {
  std::int64_t progress = 3, progressAmount = 60;
  std::int64_t cutoff = 3, roundTips = 3, roundViewers = 2;
  std::vector<LedgerRow> ledger{{{tipId(1), 5, 1, 10, kHour + 1, 2, 1}, 5'000, 50'000},
                                {{tipId(2), 5, 2, 20, kHour + 2, 2, 0}, 5'000, 100'000},
                                {{tipId(3), 5, 1, 30, 25 * kHour, 2, 1}, 5'000, 150'000},
                                {{tipId(4), 5, 3, 99, 25 * kHour, 2, 1}, 5'000, 495'000}};
  std::vector<CellRow> cells{{kHour, 5, 2, 1, 10, 1, 50'000},
                             {kHour, 5, 2, 0, 20, 1, 100'000},
                             {25 * kHour, 5, 2, 1, 30, 1, 150'000}};
  std::vector<CellRow> hours{{kHour, 0, 2, 1, 10, 1, 50'000},
                             {kHour, 0, 2, 0, 20, 1, 100'000},
                             {25 * kHour, 0, 2, 1, 30, 1, 150'000}};
  std::vector<CellRow> days{
      {0, 5, 2, 1, 10, 1, 50'000}, {0, 5, 2, 0, 20, 1, 100'000}, {1, 5, 2, 1, 30, 1, 150'000}};
  struct Payers {
    std::int64_t day, block;
    std::string bits;
  };
  std::vector<Payers> payers{{0, 0, bitsOf({1, 2})}, {1, 0, bitsOf({1})}};
  std::vector<ViewerTotalRow> totals{{1, 40, 2, kHour + 1, 25 * kHour},
                                     {2, 20, 1, kHour + 2, kHour + 2}};
  std::vector<PortraitRow> portraits{{1, 40, 2, 1, 3}, {2, 20, 1, 2, 2}};
  std::vector<TierRow> tiers{{3, 1, 40, 40, 40}, {2, 1, 20, 20, 20}, {1, 0, 0, 0, 0}};
};

Finding audited(const std::function<void(Rows&)>& change) {
  Rows rows;
  change(rows);
  Sums sums([](std::int64_t hour) { return hour / (24 * kHour); });
  sums.addProgress(kLane, rows.progress, rows.progressAmount);
  sums.setRound(rows.roundTips, rows.roundViewers);
  sums.addCutoff(kLane, rows.cutoff);
  for (const auto& row : rows.ledger) sums.addLedger(row);
  for (const auto& row : rows.cells) sums.addCell(row);
  for (const auto& row : rows.hours) sums.addHour(row);
  for (const auto& row : rows.days) sums.addDay(row);
  for (const auto& row : rows.payers) sums.addPayers(row.day, row.block, row.bits);
  for (const auto& row : rows.totals) sums.addTotal(row);
  for (const auto& row : rows.portraits) sums.addPortrait(row);
  for (const auto& row : rows.tiers) sums.addTier(row);
  return sums.finding();
}
std::int64_t faults(const std::function<void(Rows&)>& change) { return audited(change).faults; }

TEST(Sums, that_are_sound_have_no_fault) {
  const auto finding = audited([](Rows&) {});
  EXPECT_EQ(finding.id, "I12");
  EXPECT_EQ(finding.faults, 0);
  EXPECT_EQ(finding.figures, "3 tips in 9 cells, 2 viewers; 2 portraits");
}

TEST(Sums, of_nothing_have_no_fault_and_need_no_round) {
  Sums sums([](std::int64_t) { return 0; });
  EXPECT_EQ(sums.finding().faults, 0);
}

TEST(Sums, are_not_compared_while_they_are_emptied) {
  Sums sums([](std::int64_t) { return 0; });
  sums.skip();
  EXPECT_EQ(sums.finding().faults, 0);
  EXPECT_THAT(sums.finding().figures, HasSubstr("not compared"));
}

TEST(Sums, break_I12_when_a_cell_is_off_missing_or_too_many) {
  EXPECT_GT(faults([](Rows& r) { ++r.cells[0].amount; }), 0);
  EXPECT_GT(faults([](Rows& r) { ++r.cells[1].tips; }), 0);
  EXPECT_GT(faults([](Rows& r) { ++r.hours[1].anchorUnits; }), 0);
  EXPECT_GT(faults([](Rows& r) { r.days.pop_back(); }), 0);
  EXPECT_GT(faults([](Rows& r) { r.cells.push_back({9 * kHour, 5, 2, 1, 1, 1, 1}); }), 0);
  EXPECT_GT(faults([](Rows& r) { r.cells[0].viewerGender = 2; }), 0);
}

TEST(Sums, break_I12_when_a_tip_was_counted_twice_or_skipped) {
  EXPECT_GT(faults([](Rows& r) { r.progress = 4; }), 0);
  EXPECT_GT(faults([](Rows& r) { r.progress = 2; }), 0);
  EXPECT_GT(faults([](Rows& r) { ++r.progressAmount; }), 0);
  EXPECT_GT(faults([](Rows& r) { r.progress = 5; }), 0);
}

TEST(Sums, break_I12_when_a_viewer_who_paid_is_missing_or_one_who_did_not_is_there) {
  EXPECT_GT(faults([](Rows& r) { r.payers[0].bits = bitsOf({1}); }), 0);
  EXPECT_GT(faults([](Rows& r) { r.payers[0].bits = bitsOf({1, 2, 3}); }), 0);
  EXPECT_GT(faults([](Rows& r) { r.payers.pop_back(); }), 0);
  EXPECT_GT(faults([](Rows& r) { r.payers.push_back({9, 0, bitsOf({1})}); }), 0);
  EXPECT_GT(faults([](Rows& r) { r.payers[0].bits.pop_back(); }), 0);
}

TEST(Sums, break_I12_when_a_total_is_off_missing_or_of_somebody_who_never_tipped) {
  EXPECT_GT(faults([](Rows& r) { --r.totals[0].total; }), 0);
  EXPECT_GT(faults([](Rows& r) { ++r.totals[0].firstAt; }), 0);
  EXPECT_GT(faults([](Rows& r) { ++r.totals[1].lastAt; }), 0);
  EXPECT_GT(faults([](Rows& r) { r.totals.pop_back(); }), 0);
  EXPECT_GT(faults([](Rows& r) { r.totals.push_back({9, 1, 1, 1, 1}); }), 0);
}

TEST(Sums, break_I12_when_a_portrait_is_not_by_the_rule) {
  EXPECT_GT(faults([](Rows& r) { r.portraits[1].place = 1; }), 0);
  EXPECT_GT(faults([](Rows& r) { r.portraits[1].tier = 1; }), 0);
  EXPECT_GT(faults([](Rows& r) { r.portraits[0].total = 41; }), 0);
  EXPECT_GT(faults([](Rows& r) { r.portraits.pop_back(); }), 0);
  EXPECT_GT(faults([](Rows& r) { r.portraits.push_back({3, 99, 1, 1, 3}); }), 0);
  EXPECT_GT(faults([](Rows& r) { r.tiers[0].most = 41; }), 0);
  EXPECT_GT(faults([](Rows& r) { r.tiers.pop_back(); }), 0);
  EXPECT_GT(faults([](Rows& r) { ++r.roundViewers; }), 0);
  EXPECT_GT(faults([](Rows& r) { r.roundTips = 2; }), 0);
}

TEST(Sums, judge_portraits_by_the_rounds_own_cutoff) {
  EXPECT_EQ(faults([](Rows& r) {
              r.cutoff = r.roundTips = 2;
              r.portraits = {{1, 10, 1, 2, 2}, {2, 20, 1, 1, 3}};
              r.tiers = {{3, 1, 20, 20, 20}, {2, 1, 10, 10, 10}, {1, 0, 0, 0, 0}};
            }),
            0);
}

}  // namespace
}  // namespace tipflow::audit
