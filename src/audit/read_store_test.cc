// The auditor on real databases: it finds nothing wrong with sound books, also while they are being
// written, and reports each planted corruption under the invariant that it breaks.
#include "audit/read.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <atomic>
#include <set>
#include <thread>

#include "store/database.h"
#include "store/sound_books.h"

namespace tipflow::audit {
namespace {

using fixture::number;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Broken = std::set<std::string>;

class Auditor : public ::testing::TestWithParam<fixture::Engine> {
 protected:
  std::vector<Finding> look() {
    const auto c1 = scene.db1.connect();
    const auto c2 = scene.db2.connect();
    return readBooks(*c1, *c2, [&](std::int64_t tips) { tipsRead = tips; }).findings();
  }
  static Broken brokenOf(const std::vector<Finding>& findings) {
    Broken ids;
    for (const auto& finding : findings) {
      EXPECT_EQ(finding.examples.empty(), finding.faults == 0) << finding.id;
      if (finding.faults != 0) ids.insert(finding.id);
    }
    return ids;
  }
  /// The invariants that are broken after the statement, which must change `rows` rows.
  Broken after(db::Connection& c, const std::string& corruption, std::int64_t rows = 1) {
    EXPECT_EQ(c.exec(corruption).matched, rows) << corruption;
    return brokenOf(look());
  }
  Broken afterDb1(const std::string& corruption) { return after(*scene.c1, corruption); }
  Broken afterDb2(const std::string& corruption) { return after(*scene.c2, corruption); }

  fixture::SoundBooks scene{GetParam()};
  std::int64_t tipsRead = -1;
};
TIPFLOW_ON_BOTH(Auditor);

// Sound books -------------------------------------------------------------------------------------

TEST_P(Auditor, finds_nothing_wrong_with_sound_books_and_shows_their_figures) {
  const auto findings = look();
  EXPECT_EQ(brokenOf(findings), Broken{});
  std::vector<std::string> ids;
  for (const auto& finding : findings) ids.push_back(finding.id);
  EXPECT_THAT(ids, ElementsAre("I4", "I5", "I6", "I7", "I8", "I9", "I10"));
  EXPECT_EQ(tipsRead, 85);

  const auto given = number(*scene.c1, "SELECT SUM(amount) FROM tip");
  const auto settled = number(*scene.c2, "SELECT SUM(amount) FROM ledger");
  const auto anchors = number(*scene.c2, "SELECT SUM(anchor_units) FROM ledger");
  EXPECT_EQ(findings[0].figures, fmt::format("tips 85 ({} fen) = ledger 73 ({} fen) + in flight "
                                             "12 ({} fen)",
                                             given, settled, given - settled));
  EXPECT_EQ(findings[2].figures, fmt::format("anchors {} + platform {} = {} units", anchors,
                                             settled * 10'000 - anchors, settled * 10'000));
  EXPECT_EQ(findings[6].figures, "4 withdrawals, 3 payouts");
}

TEST_P(Auditor, finds_nothing_wrong_with_books_that_have_seen_nothing) {
  const fixture::TestDatabase db1(GetParam(), "db1");
  const fixture::TestDatabase db2(GetParam(), "db2");
  const auto c1 = db1.connect();
  const auto c2 = db2.connect();
  EXPECT_EQ(brokenOf(readBooks(*c1, *c2, [](std::int64_t) {}).findings()), Broken{});
}

TEST_P(Auditor, finds_nothing_wrong_while_tips_are_given_settled_and_paid_out) {
  std::atomic<bool> stop = false;
  std::atomic<std::int64_t> given = 40;
  std::thread giver([&] {
    while (!stop) {
      scene.give(LaneId{1}, 20);
      given += 20;
    }
  });
  std::thread settler([&] {
    while (!stop) scene.settle(LaneId{1}, LaneSeq{given});
  });
  std::thread payer([&] {
    while (!stop) scene.withdraw(AnchorId{31}, 1);
  });
  EXPECT_TRUE(fixture::eventually([&] { return given > 40; }));
  std::int64_t last = 0;
  for (int round = 0; round < 10; ++round) {
    const auto findings = look();
    EXPECT_EQ(brokenOf(findings), Broken{});
    for (const auto& finding : findings) EXPECT_THAT(finding.examples, IsEmpty()) << finding.id;
    EXPECT_GE(tipsRead, last);
    last = tipsRead;
  }
  stop = true;
  giver.join();
  settler.join();
  payer.join();
  EXPECT_GT(last, 85) << "nothing went on meanwhile";
  scene.settle(LaneId{1}, LaneSeq{given});
  EXPECT_EQ(brokenOf(look()), Broken{});
}

TEST_P(Auditor, reads_more_tips_than_it_holds_at_once) {
  // Lane 1 ends exactly where a chunk of 50,000 does.
  scene.give(LaneId{1}, 50'000 - 40);
  scene.settle(LaneId{1}, LaneSeq{50'000});
  EXPECT_EQ(brokenOf(look()), Broken{});
  EXPECT_EQ(tipsRead, 50'045);
  const auto last =
      afterDb2(fmt::format("DELETE FROM ledger WHERE tip_id = {}", scene.tipId(1, 50'000)));
  EXPECT_EQ(last, (Broken{"I4", "I5", "I6"})) << "the last row of the first chunk";
}

// Tips and ledger ---------------------------------------------------------------------------------

TEST_P(Auditor, misses_a_ledger_row_that_was_deleted) {
  EXPECT_EQ(afterDb2(fmt::format("DELETE FROM ledger WHERE tip_id = {}", scene.tipId(1, 20))),
            (Broken{"I4", "I5", "I6"}));
  const auto findings = look();
  EXPECT_THAT(findings[0].examples,
              ElementsAre(HasSubstr(fmt::format("tip {}", scene.tipId(1, 20)))));
}

TEST_P(Auditor, misses_the_last_ledger_row_of_a_lane) {
  EXPECT_EQ(afterDb2(fmt::format("DELETE FROM ledger WHERE tip_id = {}", scene.tipId(2, 33))),
            (Broken{"I4", "I5", "I6"}));
}

TEST_P(Auditor, sees_an_amount_that_was_changed_in_the_ledger) {
  EXPECT_EQ(afterDb2(fmt::format("UPDATE ledger SET amount = amount + 1 WHERE tip_id = {}",
                                 scene.tipId(1, 20))),
            (Broken{"I4", "I5", "I6"}));
}

TEST_P(Auditor, sees_an_amount_that_was_changed_in_the_tip) {
  EXPECT_EQ(afterDb1(fmt::format("UPDATE tip SET amount = amount + 1 WHERE tip_id = {}",
                                 scene.tipId(1, 20))),
            (Broken{"I4", "I8"}));
}

TEST_P(Auditor, sees_any_other_field_that_differs_between_tip_and_ledger) {
  for (const char* change :
       {"viewer_id = viewer_id + 1", "anchor_gender = 1", "viewer_gender = 0"}) {
    scene.c2->begin();
    scene.c2->exec(
        fmt::format("UPDATE ledger SET {} WHERE tip_id = {}", change, scene.tipId(1, 20)));
    scene.c2->commit();
    const auto findings = look();
    EXPECT_EQ(brokenOf(findings), Broken{"I4"}) << change;
    EXPECT_EQ(findings[0].faults, 1) << change;
  }
}

TEST_P(Auditor, sees_a_ledger_row_without_a_tip) {
  EXPECT_EQ(afterDb2("INSERT INTO ledger (tip_id, anchor_id, viewer_id, amount, share_bp, "
                     "anchor_units, anchor_gender, viewer_gender, accepted_at) "
                     "SELECT tip_id + 8589934592 * 8, anchor_id, viewer_id, amount, share_bp, "
                     "anchor_units, anchor_gender, viewer_gender, accepted_at FROM ledger "
                     "WHERE tip_id = " +
                     std::to_string(scene.tipId(1, 1))),
            (Broken{"I4", "I5", "I6"}));
}

TEST_P(Auditor, sees_a_hole_in_the_settled_part_of_a_lane) {
  EXPECT_EQ(afterDb1(fmt::format("DELETE FROM tip WHERE tip_id = {}", scene.tipId(1, 20))),
            (Broken{"I4", "I5", "I8"}));
}

TEST_P(Auditor, sees_a_hole_in_the_part_of_a_lane_that_is_in_flight) {
  EXPECT_EQ(afterDb1(fmt::format("DELETE FROM tip WHERE tip_id = {}", scene.tipId(3, 2))),
            Broken{"I5"});
}

TEST_P(Auditor, sees_a_hole_that_was_made_in_both_databases) {
  scene.c1->exec(fmt::format("DELETE FROM tip WHERE tip_id = {}", scene.tipId(1, 20)));
  const auto broken =
      afterDb2(fmt::format("DELETE FROM ledger WHERE tip_id = {}", scene.tipId(1, 20)));
  EXPECT_EQ(broken, (Broken{"I5", "I6", "I8"}));
}

TEST_P(Auditor, sees_a_tip_that_is_older_than_the_one_before_it) {
  EXPECT_EQ(afterDb1(fmt::format("UPDATE tip SET accepted_at = accepted_at - 3600000000 "
                                 "WHERE tip_id = {}",
                                 scene.tipId(3, 5))),
            Broken{"I5"});
}

TEST_P(Auditor, sees_a_lane_whose_tips_are_gone) {
  const auto broken =
      after(*scene.c1, fmt::format("DELETE FROM tip WHERE tip_id > {}", scene.tipId(2, 0)), 45);
  EXPECT_EQ(broken, (Broken{"I4", "I5", "I8"}));
}

// Cursors -----------------------------------------------------------------------------------------

TEST_P(Auditor, sees_a_cursor_that_was_moved_forward) {
  EXPECT_EQ(afterDb2("UPDATE sync_cursor SET last_seq = last_seq + 1 WHERE lane_id = 2"),
            (Broken{"I4", "I5", "I8"}));
}

TEST_P(Auditor, sees_a_cursor_that_was_moved_back) {
  EXPECT_EQ(afterDb2("UPDATE sync_cursor SET last_seq = last_seq - 1 WHERE lane_id = 2"),
            (Broken{"I5", "I8"}));
}

TEST_P(Auditor, sees_a_cursor_beyond_the_last_tip) {
  EXPECT_EQ(afterDb2("UPDATE sync_cursor SET last_seq = last_seq + 1 WHERE lane_id = 1"),
            Broken{"I5"});
}

TEST_P(Auditor, sees_a_cursor_whose_sum_was_changed) {
  EXPECT_EQ(afterDb2("UPDATE sync_cursor SET amount = amount - 1 WHERE lane_id = 1"), Broken{"I5"});
}

TEST_P(Auditor, sees_batches_that_do_not_follow_one_another) {
  EXPECT_EQ(afterDb2("UPDATE ledger_batch SET from_seq = from_seq + 1 WHERE lane_id = 2"),
            Broken{"I5"});
  EXPECT_EQ(afterDb2("DELETE FROM ledger_batch WHERE lane_id = 2"), Broken{"I5"});
}

TEST_P(Auditor, sees_a_tip_that_was_settled_beyond_the_cursor) {
  const auto broken = afterDb2(
      "INSERT INTO ledger (tip_id, anchor_id, viewer_id, amount, share_bp, anchor_units, "
      "anchor_gender, viewer_gender, accepted_at) VALUES (" +
      std::to_string(scene.tipId(3, 1)) +
      fmt::format(", 32, 901, 301, 5000, 1505000, 2, 1, {})", scene.acceptedAt(1).us));
  EXPECT_EQ(broken, (Broken{"I5", "I6"}));
}

// Rates and sums ----------------------------------------------------------------------------------

TEST_P(Auditor, sees_a_wrong_rate_even_when_every_sum_was_made_to_fit) {
  // Tip 24 of lane 1 is 124 fen for anchor 31 at 6,000 bp: as if the old rate had settled it.
  const auto hour = startOfHour(scene.acceptedAt(24)).us;
  scene.c2->exec("UPDATE account SET settled_units = settled_units - 124000 WHERE anchor_id = 31");
  scene.c2->exec(
      "UPDATE settlement_hour SET tips = tips - 1, amount = amount - 124, "
      "anchor_units = anchor_units - 744000 WHERE anchor_id = 31 AND share_bp = 6000 AND hour = ?",
      {hour});
  scene.c2->exec("INSERT INTO settlement_hour VALUES (31, ?, 5000, 1, 124, 620000)", {hour});
  EXPECT_EQ(afterDb2(fmt::format("UPDATE ledger SET share_bp = 5000, anchor_units = 620000 "
                                 "WHERE tip_id = {} AND amount = 124 AND anchor_units = 744000",
                                 scene.tipId(1, 24))),
            (Broken{"I7", "I8"}));
  EXPECT_THAT(look()[3].examples,
              ElementsAre(fmt::format("tip {}: settled at 5000 bp, in force was 6000 bp",
                                      scene.tipId(1, 24))));
}

TEST_P(Auditor, sees_a_rate_that_was_changed_afterwards) {
  EXPECT_EQ(afterDb2("UPDATE share_rate SET share_bp = 6001 WHERE anchor_id = 31"),
            (Broken{"I7", "I8"}));
}

TEST_P(Auditor, sees_a_rate_that_was_moved_afterwards) {
  EXPECT_EQ(afterDb2(fmt::format("UPDATE share_rate SET effective_from = {} WHERE anchor_id = 31",
                                 scene.acceptedAt(30).us)),
            (Broken{"I7", "I8"}));
}

TEST_P(Auditor, sees_parts_that_do_not_sum_to_the_tip) {
  EXPECT_EQ(afterDb2(fmt::format("UPDATE ledger SET anchor_units = anchor_units + 1 "
                                 "WHERE tip_id = {}",
                                 scene.tipId(1, 20))),
            Broken{"I6"});
}

TEST_P(Auditor, sees_an_account_that_is_off_by_one_unit) {
  EXPECT_EQ(afterDb2("UPDATE account SET settled_units = settled_units + 1 WHERE anchor_id = 32"),
            (Broken{"I6", "I8"}));
  EXPECT_EQ(afterDb2("UPDATE account SET settled_units = settled_units - 2 WHERE anchor_id = 32"),
            (Broken{"I6", "I8"}));
}

TEST_P(Auditor, sees_an_account_that_is_gone) {
  EXPECT_EQ(afterDb2("DELETE FROM account WHERE anchor_id = 32"), (Broken{"I6", "I8"}));
}

TEST_P(Auditor, sees_hour_sums_that_were_changed_deleted_or_added) {
  const auto hour = number(*scene.c2, "SELECT MIN(hour) FROM settlement_hour WHERE anchor_id = 32");
  const auto row = fmt::format("anchor_id = 32 AND hour = {}", hour);
  const auto change = [&](const char* what) {
    return fmt::format("UPDATE settlement_hour SET {} WHERE {}", what, row);
  };
  const std::vector<std::pair<std::string, std::string>> plantedAndRepaired{
      {change("amount = amount + 1"), change("amount = amount - 1")},
      {change("tips = tips + 1"), change("tips = tips - 1")},
      {change("anchor_units = anchor_units - 1"), change("anchor_units = anchor_units + 1")},
      {change("hour = hour - 3600000000"),
       fmt::format("UPDATE settlement_hour SET hour = hour + 3600000000 "
                   "WHERE anchor_id = 32 AND hour = {}",
                   hour - 3'600'000'000)},
      {"INSERT INTO settlement_hour VALUES (99, 0, 1, 1, 1, 1)",
       "DELETE FROM settlement_hour WHERE anchor_id = 99"},
  };
  for (const auto& [planted, repaired] : plantedAndRepaired) {
    EXPECT_EQ(afterDb2(planted), Broken{"I6"}) << planted;
    EXPECT_EQ(afterDb2(repaired), Broken{}) << repaired;
  }
  EXPECT_EQ(afterDb2("DELETE FROM settlement_hour WHERE " + row), Broken{"I6"});
}

// Withdrawals -------------------------------------------------------------------------------------

TEST_P(Auditor, sees_an_account_that_owes_more_than_it_holds) {
  EXPECT_EQ(afterDb2("UPDATE account SET withdrawn_fen = 99999999 WHERE anchor_id = 31"),
            (Broken{"I10", "I9"}));
}

TEST_P(Auditor, sees_accounts_that_disagree_with_their_withdrawals) {
  EXPECT_EQ(afterDb2("UPDATE account SET reserved_fen = reserved_fen - 1 WHERE anchor_id = 31"),
            Broken{"I10"});
}

TEST_P(Auditor, sees_a_withdrawal_whose_state_was_flipped) {
  for (const char* flip :
       {"state = 2 WHERE id = 1", "state = 0 WHERE id = 1", "state = 1 WHERE id = 2",
        "state = 0 WHERE id = 2", "state = 1 WHERE id = 3", "state = 2 WHERE id = 4"}) {
    const auto id = std::string(flip).back();
    const auto before =
        number(*scene.c2, fmt::format("SELECT state FROM withdrawal WHERE id = {}", id));
    EXPECT_EQ(afterDb2(fmt::format("UPDATE withdrawal SET {}", flip)), Broken{"I10"}) << flip;
    EXPECT_EQ(afterDb2(fmt::format("UPDATE withdrawal SET state = {} WHERE id = {}", before, id)),
              Broken{});
  }
}

TEST_P(Auditor, sees_a_rejected_withdrawal_made_paid_though_account_and_sums_agree) {
  scene.c2->exec("UPDATE account SET withdrawn_fen = withdrawn_fen + 50 WHERE anchor_id = 31");
  EXPECT_EQ(afterDb2("UPDATE withdrawal SET state = 1 WHERE id = 2"), Broken{"I10"});
}

TEST_P(Auditor, sees_payouts_that_disagree_with_their_withdrawals) {
  const std::vector<std::pair<const char*, const char*>> plantedAndRepaired{
      {"UPDATE sandbox_payout SET amount = amount + 1 WHERE withdrawal_id = 1",
       "UPDATE sandbox_payout SET amount = amount - 1 WHERE withdrawal_id = 1"},
      {"UPDATE sandbox_payout SET paid = 0 WHERE withdrawal_id = 1",
       "UPDATE sandbox_payout SET paid = 1 WHERE withdrawal_id = 1"},
      {"UPDATE sandbox_payout SET paid = 1 WHERE withdrawal_id = 2",
       "UPDATE sandbox_payout SET paid = 0 WHERE withdrawal_id = 2"},
      {"UPDATE sandbox_payout SET withdrawal_id = 99 WHERE withdrawal_id = 2",
       "UPDATE sandbox_payout SET withdrawal_id = 2 WHERE withdrawal_id = 99"},
  };
  for (const auto& [planted, repaired] : plantedAndRepaired) {
    EXPECT_EQ(afterDb2(planted), Broken{"I10"}) << planted;
    EXPECT_EQ(afterDb2(repaired), Broken{}) << repaired;
  }
  EXPECT_EQ(afterDb2("DELETE FROM sandbox_payout WHERE withdrawal_id = 1"), Broken{"I10"});
}

TEST_P(Auditor, sees_withdrawals_that_are_gone_or_another_anchors) {
  EXPECT_EQ(afterDb2("UPDATE withdrawal SET anchor_id = 99 WHERE id = 1"), Broken{"I10"});
  EXPECT_EQ(afterDb2("UPDATE withdrawal SET anchor_id = 31 WHERE id = 1"), Broken{});
  EXPECT_EQ(afterDb2("DELETE FROM withdrawal WHERE id = 2"), Broken{"I10"});
}

}  // namespace
}  // namespace tipflow::audit
