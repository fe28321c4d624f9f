// The auditor's rules on rows by hand: one sound book, and one broken for each invariant. What it
// makes of whole databases is in read_store_test.cc.
#include "audit/books.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>

namespace tipflow::audit {
namespace {

using Broken = std::set<std::string>;

constexpr std::int64_t kLane = 3;
constexpr std::int64_t kHour = 3'600'000'000;

std::int64_t idOf(std::int64_t seq) { return kLane * (std::int64_t{1} << 33) + seq; }

/// Three tips of 100, 200 and 300 fen for anchor 7 at one half; the first two are settled, in two
/// batches; 50 fen are paid out and 40 are reserved.
struct Rows {
  std::vector<RateRow> rates{{0, 0, 5'000}};
  std::int64_t cursor = 2, cursorAmount = 300;
  std::vector<BatchRow> batches{{kLane, 1, 1}, {kLane, 2, 2}};
  std::vector<TipRow> tips{{idOf(1), 7, 21, 100, 10, 1, 2},
                           {idOf(2), 7, 22, 200, 20, 1, 2},
                           {idOf(3), 7, 23, 300, 30, 1, 2}};
  std::vector<LedgerRow> ledger{{tips[0], 5'000, 500'000}, {tips[1], 5'000, 1'000'000}};
  AccountRow account{7, 1'500'000, 50, 40};
  std::vector<HourRow> hours{{7, 0, 5'000, 2, 300, 1'500'000}};
  std::vector<WithdrawalRow> withdrawals{
      {1, 7, 50, 1, {9, 1}}, {2, 7, 40, 0, {9, 2}}, {3, 7, 60, 2, {9, 3}}};
  std::vector<PayoutRow> payouts{{1, 50, true}, {3, 60, false}};
};

Broken audited(const std::function<void(Rows&)>& change) {
  Rows rows;
  change(rows);
  Books books;
  for (const auto& rate : rows.rates) books.addRate(rate);
  books.addCursor(kLane, rows.cursor, rows.cursorAmount);
  for (const auto& batch : rows.batches) books.addBatch(batch);
  books.addAccount(rows.account);
  for (const auto& withdrawal : rows.withdrawals) books.addWithdrawal(withdrawal);
  for (const auto& payout : rows.payouts) books.addPayout(payout);
  for (std::size_t i = 0; i < rows.tips.size(); ++i) {
    if (i < rows.ledger.size()) {
      books.addPair(rows.tips[i], rows.ledger[i]);
    } else {
      books.addTipOnly(rows.tips[i]);
    }
  }
  for (const auto& hour : rows.hours) books.addHour(hour);
  Broken ids;
  for (const auto& finding : books.findings()) {
    EXPECT_EQ(finding.examples.empty(), finding.faults == 0) << finding.id;
    if (finding.faults != 0) ids.insert(finding.id);
  }
  return ids;
}

TEST(Books, of_sound_rows_have_no_fault) {
  EXPECT_EQ(audited([](Rows&) {}), Broken{});
}

TEST(Books, break_I4_when_a_ledger_row_differs_from_its_tip) {
  EXPECT_TRUE(audited([](Rows& r) { ++r.ledger[1].tip.viewerId; }).contains("I4"));
  EXPECT_EQ(audited([](Rows& r) { r.ledger[1].tip.viewerGender = 0; }), Broken{"I4"});
}

TEST(Books, break_I5_when_two_batches_settled_one_number) {
  EXPECT_EQ(audited([](Rows& r) { r.batches = {{kLane, 1, 1}, {kLane, 1, 2}}; }), Broken{"I5"});
}

TEST(Books, break_I5_when_no_batch_settled_a_number) {
  EXPECT_EQ(audited([](Rows& r) { r.batches.pop_back(); }), Broken{"I5"});
  EXPECT_EQ(audited([](Rows& r) { r.batches.erase(r.batches.begin()); }), Broken{"I5"});
}

TEST(Books, break_I5_when_a_batch_reaches_beyond_the_cursor) {
  EXPECT_EQ(audited([](Rows& r) { r.batches.push_back({kLane, 3, 3}); }), Broken{"I5"});
}

TEST(Books, break_I6_when_the_parts_do_not_sum_to_the_tip) {
  EXPECT_EQ(audited([](Rows& r) {
              r.ledger[0].anchorUnits += 1;
              r.ledger[1].anchorUnits -= 1;
            }),
            Broken{"I6"});
}

TEST(Books, break_I6_when_the_sums_of_an_hour_are_off) {
  EXPECT_EQ(audited([](Rows& r) { r.hours[0].hour = kHour; }), Broken{"I6"});
}

TEST(Books, break_I7_when_a_tip_is_settled_by_another_rate) {
  EXPECT_EQ(audited([](Rows& r) { r.rates.push_back({7, 20, 5'001}); }), (Broken{"I7", "I8"}));
}

TEST(Books, break_I8_when_the_balance_does_not_follow_from_tips_and_rates) {
  EXPECT_TRUE(audited([](Rows& r) { ++r.account.settledUnits; }).contains("I8"));
}

TEST(Books, break_I9_when_an_account_owes_more_than_it_holds) {
  const auto broken = audited([](Rows& r) {
    r.account.reservedFen = 101;
    r.withdrawals[1].amount = 101;
  });
  EXPECT_EQ(broken, Broken{"I9"});
  EXPECT_EQ(audited([](Rows& r) {
              r.account.reservedFen = 100;
              r.withdrawals[1].amount = 100;
            }),
            Broken{})
      << "to the last fen";
}

TEST(Books, break_I10_when_two_withdrawals_have_one_traceId) {
  EXPECT_EQ(audited([](Rows& r) { r.withdrawals[2].traceId = r.withdrawals[0].traceId; }),
            Broken{"I10"});
}

TEST(Books, break_I10_when_state_and_payout_disagree) {
  EXPECT_EQ(audited([](Rows& r) { r.payouts[1].paid = true; }), Broken{"I10"});
  EXPECT_EQ(audited([](Rows& r) { r.payouts.erase(r.payouts.begin()); }), Broken{"I10"});
}

}  // namespace
}  // namespace tipflow::audit
