// The books on both databases: batches applied once or not at all, sums that agree with rows, rates
// that hold from their instant on, and withdrawals that never pass what is settled.
#include "finance/store.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <atomic>
#include <map>
#include <thread>

#include "base/random.h"
#include "finance/ledger_driver.h"
#include "platform/db/dialect.h"
#include "store/database.h"

namespace tipflow::finance::store {
namespace {

using fixture::number;
using fixture::rows;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// 08:30 UTC, so that an hour begins half an hour later.
constexpr Time kAccepted{20'484 * kUsPerDay + 17 * kUsPerHour / 2};
constexpr Time kPushed = Time{kAccepted.us + 250'000};
constexpr Time kNow{1'770'000'000'123'456};
constexpr LaneId kLane{12};
constexpr AnchorId kAnna{31};
constexpr AnchorId kBob{32};
constexpr BasisPoints kHalf{5'000};
constexpr std::int64_t kNoneBefore = kIdEnd;

const std::vector<std::string> kBookTables{"sync_cursor", "ledger",          "ledger_batch",
                                           "account",     "settlement_hour", "share_rate"};

LedgerTip tip(LaneId lane, std::int64_t seq, AnchorId anchor, std::int64_t amountFen,
              Time acceptedAt = kAccepted) {
  LedgerTip made;
  made.id = tipIdOf(lane, LaneSeq{seq});
  made.anchor = anchor;
  made.viewer = ViewerId{900 + seq};
  made.amount = Fen{amountFen};
  made.anchorGender = Gender::female;
  made.viewerGender = Gender::male;
  made.acceptedAt = acceptedAt;
  return made;
}

LedgerBatch batchOf(std::vector<LedgerTip> tips) {
  LedgerBatch batch;
  batch.lane = laneOf(tips.front().id);
  batch.from = seqOf(tips.front().id);
  batch.to = seqOf(tips.back().id);
  batch.tips = std::move(tips);
  batch.pushedAt = kPushed;
  return batch;
}

/// Tips `from`..`to` of a lane for Anna and Bob by turns, 100 fen + their number each.
LedgerBatch batchOf(LaneId lane, std::int64_t from, std::int64_t to) {
  std::vector<LedgerTip> tips;
  for (auto seq = from; seq <= to; ++seq) {
    tips.push_back(tip(lane, seq, seq % 2 == 0 ? kAnna : kBob, 100 + seq));
  }
  return batchOf(std::move(tips));
}

class FinanceStore : public ::testing::TestWithParam<fixture::Engine> {
 protected:
  FinanceStore() { seed(*c, kHalf); }

  BatchAnswer apply(const LedgerBatch& batch) { return driver.apply(batch); }
  /// As the pusher does: what certainly changed nothing is pushed again.
  static BatchAnswer pushed(LedgerChannel& channel, const LedgerBatch& batch) {
    const auto deadline = steady_clock::now() + std::chrono::seconds(20);
    for (;;) {
      const auto answer = channel.apply(batch);
      const bool again =
          answer.status == BatchStatus::failed || answer.status == BatchStatus::heldBack;
      if (!again || steady_clock::now() > deadline) return answer;
      std::this_thread::sleep_for(milliseconds(2));
    }
  }
  std::vector<std::string> everything() { return fixture::dump(*c, kBookTables); }
  void expectUnchangedBy(BatchStatus expected, const LedgerBatch& batch, const char* what) {
    const auto before = everything();
    EXPECT_EQ(apply(batch).status, expected) << what;
    EXPECT_EQ(everything(), before) << what;
  }
  /// A rate as if it had been set long ago.
  void plantRate(AnchorId anchor, std::int32_t shareBp, Time from) {
    c->exec(
        "INSERT INTO share_rate (anchor_id, share_bp, effective_from, created_at, created_by) "
        "VALUES (?, ?, ?, 1, 'planted')",
        {anchor, shareBp, from});
  }
  /// Settles `fen` for the anchor, at a rate of one half.
  void earn(AnchorId anchor, std::int64_t fen) {
    const LaneId lane{++earnLane};
    ASSERT_EQ(apply(batchOf({tip(lane, 1, anchor, 2 * fen)})).status, BatchStatus::applied);
  }
  std::vector<std::string> accounts() {
    return rows(*c, {"anchor_id", "settled_units", "withdrawn_fen", "reserved_fen"},
                "account ORDER BY anchor_id");
  }
  /// What the ledger's own rows add up to, beside what the sums say.
  void expectSumsOfRows() {
    EXPECT_EQ(rows(*c, {"anchor_id", "SUM(anchor_units)"},
                   "ledger GROUP BY anchor_id ORDER BY anchor_id"),
              rows(*c, {"anchor_id", "settled_units"}, "account ORDER BY anchor_id"));
    EXPECT_EQ(rows(*c,
                   {"anchor_id", "accepted_at - accepted_at % 3600000000 AS h", "share_bp",
                    "COUNT(*)", "SUM(amount)", "SUM(anchor_units)"},
                   "ledger GROUP BY anchor_id, h, share_bp ORDER BY anchor_id, h, share_bp"),
              rows(*c, {"anchor_id", "hour", "share_bp", "tips", "amount", "anchor_units"},
                   "settlement_hour ORDER BY anchor_id, hour, share_bp"));
    EXPECT_EQ(
        rows(*c, {"tip_id >> 33 AS lane", "COUNT(*)", "MAX(tip_id) & 8589934591", "SUM(amount)"},
             "ledger GROUP BY lane ORDER BY lane"),
        rows(*c, {"lane_id", "last_seq", "last_seq", "amount"}, "sync_cursor ORDER BY lane_id"));
    EXPECT_EQ(number(*c, "SELECT COUNT(*) FROM ledger WHERE anchor_units <> amount * share_bp"), 0);
  }

  fixture::TestDatabase database{GetParam(), "db2"};
  std::unique_ptr<db::Connection> c = database.connect();
  db::Database pool{"db2", database.url(), {.threads = 1}};
  LedgerDriver driver{pool};
  std::int64_t earnLane = 100;
};
TIPFLOW_ON_BOTH(FinanceStore);

// The steps -------------------------------------------------------------------------------------

TEST_P(FinanceStore, moves_a_cursor_only_from_the_place_where_it_stands) {
  const auto move = [&](std::int64_t from, std::int64_t to, std::int64_t amount) {
    return moveCursor(*c, {kLane, LaneSeq{from}, LaneSeq{to}, Fen{amount}});
  };
  EXPECT_EQ(cursor(*c, kLane), LaneSeq{0});
  EXPECT_EQ(move(2, 5, 10), 0) << "no cursor yet";
  EXPECT_EQ(number(*c, "SELECT COUNT(*) FROM sync_cursor"), 0);
  EXPECT_EQ(move(1, 4, 10), 1);
  EXPECT_EQ(cursor(*c, kLane), LaneSeq{4});
  EXPECT_EQ(move(1, 4, 10), 0) << "again";
  EXPECT_EQ(move(4, 9, 10), 0) << "an overlap";
  EXPECT_EQ(move(6, 9, 10), 0) << "a gap";
  EXPECT_EQ(cursor(*c, kLane), LaneSeq{4});
  EXPECT_EQ(move(5, 5, 7), 1);
  EXPECT_EQ(moveCursor(*c, {LaneId{13}, LaneSeq{1}, LaneSeq{2}, Fen{1}}), 1);
  EXPECT_THAT(rows(*c, {"lane_id", "last_seq", "amount"}, "sync_cursor ORDER BY lane_id"),
              ElementsAre("12|5|17", "13|2|1"));
  EXPECT_EQ(cursor(*c, LaneId{14}), LaneSeq{0});
}

TEST_P(FinanceStore, reads_the_rates_that_matter_in_the_order_of_their_starts) {
  plantRate(kAnna, 7'000, Time{300});
  plantRate(kAnna, 6'000, Time{200});
  plantRate(kAnna, 6'500, Time{200});  // the same start, set later
  plantRate(kBob, 1'000, Time{100});
  plantRate(AnchorId{0}, 4'000, Time{250});
  const Time before = c->now();
  const auto terms =
      db::transact(*c, [](db::Connection& t) { return readTerms(t, {kAnna, AnchorId{33}}); });
  const auto shown = [](const std::vector<ShareRate>& rates) {
    std::vector<std::pair<std::int64_t, int>> pairs;
    for (const auto& rate : rates) pairs.emplace_back(rate.effectiveFrom.us, rate.rate.value);
    return pairs;
  };
  using ::testing::Pair;
  EXPECT_THAT(shown(terms.platformRates), ElementsAre(Pair(0, 5'000), Pair(250, 4'000)));
  ASSERT_EQ(terms.anchorRates.size(), 1U);
  EXPECT_EQ(terms.anchorRates[0].anchor, kAnna);
  EXPECT_THAT(shown(terms.anchorRates[0].rates),
              ElementsAre(Pair(200, 6'000), Pair(200, 6'500), Pair(300, 7'000)));
  EXPECT_GE(terms.now, before);
  EXPECT_LE(terms.now, c->now());
}

TEST_P(FinanceStore, seeds_the_platforms_rate_once_however_many_nodes_start) {
  const fixture::TestDatabase fresh(GetParam(), "db2");
  fixture::atOnce(8, [&](int i) {
    const auto mine = fresh.connect();
    seed(*mine, BasisPoints{1'000 + i});
  });
  const auto mine = fresh.connect();
  const auto first = rows(*mine, {"anchor_id", "share_bp", "effective_from"}, "share_rate");
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(rows(*mine, {"id"}, "share_rate_guard"), std::vector<std::string>{"1"});
  seed(*mine, BasisPoints{9'999});
  EXPECT_EQ(rows(*mine, {"anchor_id", "share_bp", "effective_from"}, "share_rate"), first);
}

// Batches ---------------------------------------------------------------------------------------

TEST_P(FinanceStore, books_a_batch_in_ledger_accounts_hours_and_cursor) {
  plantRate(kBob, 3'333, Time{1});
  const Time nextHour = kAccepted + Duration{kUsPerHour};
  auto batch = batchOf({tip(kLane, 1, kAnna, 100), tip(kLane, 2, kBob, 7),
                        tip(kLane, 3, kAnna, 1, nextHour), tip(kLane, 4, kAnna, 250)});
  batch.committedAt = kPushed - Duration{1'000};
  const Time before = c->now();
  const auto answer = apply(batch);
  EXPECT_EQ(answer.status, BatchStatus::applied);

  const auto id = [](std::int64_t seq) { return tipIdOf(kLane, LaneSeq{seq}).value; };
  EXPECT_THAT(rows(*c,
                   {"tip_id", "anchor_id", "viewer_id", "amount", "share_bp", "anchor_units",
                    "anchor_gender", "viewer_gender", "accepted_at"},
                   "ledger ORDER BY tip_id"),
              ElementsAre(fmt::format("{}|31|901|100|5000|500000|2|1|{}", id(1), kAccepted.us),
                          fmt::format("{}|32|902|7|3333|23331|2|1|{}", id(2), kAccepted.us),
                          fmt::format("{}|31|903|1|5000|5000|2|1|{}", id(3), nextHour.us),
                          fmt::format("{}|31|904|250|5000|1250000|2|1|{}", id(4), kAccepted.us)));
  EXPECT_THAT(accounts(), ElementsAre("31|1755000|0|0", "32|23331|0|0"));
  const auto hour = kAccepted.us / kUsPerHour * kUsPerHour;
  EXPECT_THAT(rows(*c, {"anchor_id", "hour", "share_bp", "tips", "amount", "anchor_units"},
                   "settlement_hour ORDER BY anchor_id, hour"),
              ElementsAre(fmt::format("31|{}|5000|2|350|1750000", hour),
                          fmt::format("31|{}|5000|1|1|5000", hour + kUsPerHour),
                          fmt::format("32|{}|3333|1|7|23331", hour)));
  EXPECT_THAT(rows(*c, {"lane_id", "last_seq", "amount"}, "sync_cursor"), ElementsAre("12|4|358"));
  EXPECT_THAT(
      rows(*c, {"lane_id", "from_seq", "to_seq", "committed_at", "pushed_at"}, "ledger_batch"),
      ElementsAre(fmt::format("12|1|4|{}|{}", kPushed.us - 1'000, kPushed.us)));
  const Time settledAt{number(*c, "SELECT settled_at FROM ledger_batch")};
  EXPECT_GE(settledAt, before);
  EXPECT_LE(settledAt, c->now());
  expectSumsOfRows();
}

TEST_P(FinanceStore, adds_the_next_batch_to_what_is_there) {
  EXPECT_EQ(apply(batchOf(kLane, 1, 10)).status, BatchStatus::applied);
  EXPECT_EQ(apply(batchOf(kLane, 11, 11)).status, BatchStatus::applied);
  EXPECT_EQ(apply(batchOf(LaneId{13}, 1, 2'000)).status, BatchStatus::applied);
  EXPECT_EQ(driver.cursor(kLane), LaneSeq{11});
  EXPECT_EQ(driver.cursor(LaneId{13}), LaneSeq{2'000});
  EXPECT_EQ(number(*c, "SELECT COUNT(*) FROM ledger"), 2'011);
  EXPECT_EQ(rows(*c, {"COUNT(*)", "COUNT(committed_at)"}, "ledger_batch"),
            std::vector<std::string>{"3|0"});
  expectSumsOfRows();
}

TEST_P(FinanceStore, answers_a_repeated_batch_with_the_cursor_and_changes_nothing) {
  const auto batch = batchOf(kLane, 1, 5);
  ASSERT_EQ(apply(batch).status, BatchStatus::applied);
  expectUnchangedBy(BatchStatus::conflict, batch, "the same batch");
  EXPECT_EQ(apply(batch).cursor, LaneSeq{5});
  expectUnchangedBy(BatchStatus::conflict, batchOf(kLane, 4, 8), "an overlap");
  EXPECT_EQ(apply(batchOf(kLane, 3, 3)).cursor, LaneSeq{5});
  EXPECT_EQ(apply(batchOf(kLane, 6, 8)).status, BatchStatus::applied) << "and goes on from there";
}

TEST_P(FinanceStore, answers_a_gap_with_the_cursor_and_changes_nothing) {
  expectUnchangedBy(BatchStatus::conflict, batchOf(kLane, 2, 5), "a lane not seen before");
  EXPECT_EQ(apply(batchOf(kLane, 2, 5)).cursor, LaneSeq{0});
  ASSERT_EQ(apply(batchOf(kLane, 1, 5)).status, BatchStatus::applied);
  expectUnchangedBy(BatchStatus::conflict, batchOf(kLane, 7, 9), "a gap");
  EXPECT_EQ(apply(batchOf(kLane, 7, 9)).cursor, LaneSeq{5});
}

TEST_P(FinanceStore, refuses_a_batch_of_the_wrong_shape_and_changes_nothing) {
  ASSERT_EQ(apply(batchOf(kLane, 1, 5)).status, BatchStatus::applied);
  auto batch = batchOf(kLane, 6, 8);
  batch.to = LaneSeq{9};
  expectUnchangedBy(BatchStatus::failed, batch, "fewer tips than the range has");
  batch = batchOf(kLane, 6, 8);
  std::swap(batch.tips[0], batch.tips[1]);
  expectUnchangedBy(BatchStatus::failed, batch, "another order");
  batch = batchOf(kLane, 6, 8);
  batch.lane = LaneId{13};
  expectUnchangedBy(BatchStatus::failed, batch, "tips of another lane");
  batch = batchOf(kLane, 6, 8);
  batch.tips[2].amount = Fen{0};
  expectUnchangedBy(BatchStatus::failed, batch, "an amount of 0");
  batch.tips[2].amount = Fen{-5};
  expectUnchangedBy(BatchStatus::failed, batch, "a negative amount");
  batch.tips[2].amount = Fen{std::numeric_limits<std::int64_t>::max() - 1'000};
  expectUnchangedBy(BatchStatus::failed, batch, "an amount that cannot be split");
  EXPECT_EQ(apply(batchOf(kLane, 6, 8)).status, BatchStatus::applied);
}

TEST_P(FinanceStore, keeps_nothing_of_a_batch_that_fails_at_any_of_its_steps) {
  ASSERT_EQ(apply(batchOf(kLane, 1, 5)).status, BatchStatus::applied);
  const auto fails = [&](const char* what, const std::string& plant, const std::string& repair) {
    c->exec(plant);
    expectUnchangedBy(BatchStatus::failed, batchOf(kLane, 6, 9), what);
    c->exec(repair);
  };
  const auto eighth = tipIdOf(kLane, LaneSeq{8}).value;
  fails("a ledger row that is there already",
        fmt::format("INSERT INTO ledger VALUES ({}, 31, 1, 1, 1, 1, 0, 0, 1)", eighth),
        fmt::format("DELETE FROM ledger WHERE tip_id = {}", eighth));
  const auto settled = number(*c, "SELECT settled_units FROM account WHERE anchor_id = 32");
  fails("an account that cannot hold more",
        "UPDATE account SET settled_units = 9000000000000000000 WHERE anchor_id = 32",
        fmt::format("UPDATE account SET settled_units = {} WHERE anchor_id = 32", settled));
  fails("a batch that is noted already",
        "INSERT INTO ledger_batch (lane_id, to_seq, from_seq, pushed_at, settled_at) "
        "VALUES (12, 9, 6, 1, 1)",
        "DELETE FROM ledger_batch WHERE to_seq = 9");
  fails("no platform rate for that time",
        fmt::format("UPDATE share_rate SET effective_from = {}", kAccepted.us + 1),
        "UPDATE share_rate SET effective_from = 0");
  EXPECT_EQ(apply(batchOf(kLane, 6, 9)).status, BatchStatus::applied);
  expectSumsOfRows();
}

TEST_P(FinanceStore, holds_back_a_batch_with_a_tip_ahead_of_the_clock) {
  const Time ahead = c->now() + Duration{60 * kUsPerSecond};
  expectUnchangedBy(BatchStatus::heldBack,
                    batchOf({tip(kLane, 1, kAnna, 5), tip(kLane, 2, kAnna, 5, ahead)}), "a minute");
  EXPECT_EQ(apply(batchOf({tip(kLane, 1, kAnna, 5), tip(kLane, 2, kAnna, 5, c->now())})).status,
            BatchStatus::applied);
}

TEST_P(FinanceStore, comes_to_the_same_books_whatever_the_batches) {
  plantRate(kBob, 3'333, kAccepted + Duration{50});
  SeededRandom random(3);
  std::vector<LedgerTip> tips;
  for (std::int64_t seq = 1; seq <= 200; ++seq) {
    const AnchorId anchor{static_cast<std::int64_t>(31 + random.below(3))};
    tips.push_back(tip(kLane, seq, anchor, static_cast<std::int64_t>(1 + random.below(1'000)),
                       kAccepted + Duration{static_cast<std::int64_t>(random.below(100))}));
  }
  const std::vector<std::string> compared{"sync_cursor", "ledger", "account", "settlement_hour"};
  std::vector<std::string> first;
  for (const std::size_t size : {200, 1, 7, 64}) {
    for (const char* table :
         {"sync_cursor", "ledger", "account", "settlement_hour", "ledger_batch"}) {
      c->exec(fmt::format("DELETE FROM {}", table));
    }
    for (std::size_t at = 0; at < tips.size(); at += size) {
      const auto begin = tips.begin() + static_cast<std::ptrdiff_t>(at);
      const auto end = tips.begin() + static_cast<std::ptrdiff_t>(std::min(at + size, tips.size()));
      ASSERT_EQ(apply(batchOf({begin, end})).status, BatchStatus::applied);
    }
    const auto books = fixture::dump(*c, compared);
    if (first.empty()) first = books;
    EXPECT_EQ(books, first) << "batches of " << size;
  }
  expectSumsOfRows();
}

TEST_P(FinanceStore, applies_a_batch_once_that_two_pushers_send_at_once) {
  std::atomic<int> applied = 0;
  for (int round = 0; round < 20; ++round) {
    const auto batch = batchOf(kLane, 3 * round + 1, 3 * round + 3);
    fixture::atOnce(2, [&](int) {
      LedgerDriver mine(pool);
      const auto answer = pushed(mine, batch);
      if (answer.status == BatchStatus::applied) {
        ++applied;
      } else {
        EXPECT_EQ(answer.status, BatchStatus::conflict);
        EXPECT_EQ(answer.cursor, batch.to);
      }
    });
    EXPECT_EQ(applied, round + 1);
  }
  EXPECT_EQ(number(*c, "SELECT COUNT(*) FROM ledger"), 60);
  EXPECT_EQ(number(*c, "SELECT COUNT(*) FROM ledger_batch"), 20);
  expectSumsOfRows();
}

TEST_P(FinanceStore, loses_nothing_of_four_lanes_that_credit_the_same_anchors_at_once) {
  constexpr std::int64_t kBatches = 20;
  fixture::atOnce(4, [&](int i) {
    LedgerDriver mine(pool);
    for (std::int64_t at = 0; at < kBatches; ++at) {
      const auto answer = pushed(mine, batchOf(LaneId{20 + i}, 10 * at + 1, 10 * at + 10));
      EXPECT_EQ(answer.status, BatchStatus::applied);
    }
  });
  EXPECT_EQ(number(*c, "SELECT COUNT(*) FROM ledger"), 4 * 10 * kBatches);
  EXPECT_EQ(number(*c, "SELECT SUM(settled_units) FROM account"),
            4 * 5'000 * (100 * 200 + 200 * 201 / 2));
  expectSumsOfRows();
}

TEST_P(FinanceStore, goes_on_after_the_connection_was_lost_between_two_batches) {
  if (c->dialect() == db::Dialect::mysql) {
    ASSERT_EQ(apply(batchOf(kLane, 1, 2)).status, BatchStatus::applied);
    const auto others =
        "information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()";
    for (const auto& id : rows(*c, {"id"}, others)) c->exec("KILL CONNECTION " + id);
    ASSERT_TRUE(fixture::eventually([&] { return rows(*c, {"id"}, others).empty(); }));
    expectUnchangedBy(BatchStatus::unknown, batchOf(kLane, 3, 4), "nobody knows");
  } else {
    ASSERT_EQ(apply(batchOf(kLane, 1, 2)).status, BatchStatus::applied);
  }
  EXPECT_EQ(driver.cursor(kLane), LaneSeq{2});
  EXPECT_EQ(apply(batchOf(kLane, 3, 4)).status, BatchStatus::applied);
  EXPECT_EQ(number(*c, "SELECT COUNT(*) FROM ledger"), 4);
  expectSumsOfRows();
}

// What became of a tip ----------------------------------------------------------------------------

TEST_P(FinanceStore, tells_what_became_of_a_tip_and_when) {
  plantRate(kBob, 3'333, Time{1});
  auto batch = batchOf({tip(kLane, 1, kAnna, 100), tip(kLane, 2, kBob, 7)});
  batch.committedAt = kPushed - Duration{7};
  ASSERT_EQ(apply(batch).status, BatchStatus::applied);
  batch = batchOf({tip(kLane, 3, kAnna, 5)});
  batch.pushedAt = kPushed + Duration{9};
  ASSERT_EQ(apply(batch).status, BatchStatus::applied);

  const auto second = settlement(*c, tipIdOf(kLane, LaneSeq{2}));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->rate, BasisPoints{3'333});
  EXPECT_EQ(second->anchorUnits, Units{23'331});
  EXPECT_EQ(second->platformUnits, Units{46'669});
  EXPECT_EQ(second->acceptedAt, kAccepted);
  EXPECT_EQ(second->committedAt, kPushed - Duration{7});
  EXPECT_EQ(second->pushedAt, kPushed);
  EXPECT_EQ(second->settledAt.us,
            number(*c, "SELECT settled_at FROM ledger_batch WHERE to_seq = 2"));
  const auto third = settlement(*c, tipIdOf(kLane, LaneSeq{3}));
  ASSERT_TRUE(third);
  EXPECT_EQ(third->committedAt, std::nullopt);
  EXPECT_EQ(third->pushedAt, kPushed + Duration{9});
  EXPECT_FALSE(settlement(*c, tipIdOf(kLane, LaneSeq{4})));
  EXPECT_FALSE(settlement(*c, tipIdOf(LaneId{13}, LaneSeq{1})));
}

TEST_P(FinanceStore, lists_an_anchors_hours_within_a_range) {
  plantRate(kAnna, 6'000, kAccepted + Duration{1});
  const Duration hour{kUsPerHour};
  ASSERT_EQ(
      apply(batchOf({tip(kLane, 1, kAnna, 10), tip(kLane, 2, kAnna, 20, kAccepted + Duration{1}),
                     tip(kLane, 3, kAnna, 30, kAccepted + hour), tip(kLane, 4, kBob, 99),
                     tip(kLane, 5, kAnna, 40, kAccepted + 2 * hour)}))
          .status,
      BatchStatus::applied);
  const Time first = startOfHour(kAccepted);
  const auto shown = [&](Time from, Time to) {
    std::vector<std::string> text;
    for (const auto& row : hours(*c, kAnna, from, to)) {
      text.push_back(fmt::format("{}|{}|{}|{}|{}", (row.hour - first).count() / kUsPerHour,
                                 row.rate.value, row.sum.tips, row.sum.amount.value,
                                 row.sum.anchorUnits.value));
    }
    return text;
  };
  EXPECT_THAT(shown(first, first + 3 * hour),
              ElementsAre("0|5000|1|10|50000", "0|6000|1|20|120000", "1|6000|1|30|180000",
                          "2|6000|1|40|240000"));
  EXPECT_THAT(shown(first + hour, first + 2 * hour), ElementsAre("1|6000|1|30|180000"));
  EXPECT_THAT(shown(first + 3 * hour, first + 9 * hour), IsEmpty());
}

// Rates -------------------------------------------------------------------------------------------

TEST_P(FinanceStore, starts_a_rate_no_sooner_than_its_notice_by_the_databases_clock) {
  const auto add = [&](std::optional<Time> asked) {
    return db::transact(*c, [&](db::Connection& t) {
      return addRate(t, kAnna, BasisPoints{6'000}, asked, "admin");
    });
  };
  const auto expectEarliest = [&](std::optional<Duration> asked, const char* what) {
    const Time before = c->now();
    const auto added = add(asked ? std::optional(before + *asked) : std::nullopt);
    const Time after = c->now();
    ASSERT_TRUE(added) << what;
    EXPECT_GE(added->effectiveFrom, before + kRateNotice) << what;
    EXPECT_LE(added->effectiveFrom, after + kRateNotice + milliseconds(1)) << what;
    EXPECT_EQ(added->effectiveFrom.us % kUsPerMs, 0) << what;
    EXPECT_EQ(added->shareBp, BasisPoints{6'000}) << what;
  };
  expectEarliest(std::nullopt, "not asked for a time");
  expectEarliest(milliseconds(500), "sooner than the notice");
  expectEarliest(milliseconds(0), "now");
  expectEarliest(milliseconds(-4'000), "a little past, as if it had been long on its way");
  EXPECT_EQ(number(*c, "SELECT COUNT(*) FROM share_rate WHERE anchor_id = 31"), 4);

  const Time later = Time{(c->now().us / kUsPerMs + 3'600'000) * kUsPerMs};
  EXPECT_EQ(add(later)->effectiveFrom, later);
  EXPECT_EQ(add(later + Duration{1})->effectiveFrom, later + milliseconds(1));

  const auto before = fixture::dump(*c, {"share_rate"});
  const auto past = add(c->now() - Duration{6 * kUsPerSecond});
  ASSERT_FALSE(past);
  EXPECT_EQ(past.error().code, ErrorCode::effective_from_in_past);
  EXPECT_EQ(fixture::dump(*c, {"share_rate"}), before);
}

TEST_P(FinanceStore, notes_who_set_a_rate_and_when) {
  const Time before = c->now();
  const auto added = db::transact(*c, [&](db::Connection& t) {
    return addRate(t, kAnna, BasisPoints{10'000}, std::nullopt, "admin's");
  });
  ASSERT_TRUE(added);
  EXPECT_THAT(rows(*c, {"anchor_id", "share_bp", "effective_from", "created_by"},
                   "share_rate WHERE anchor_id <> 0"),
              ElementsAre(fmt::format("31|10000|{}|admin's", added->effectiveFrom.us)));
  const Time created{number(*c, "SELECT created_at FROM share_rate WHERE anchor_id = 31")};
  EXPECT_GE(created, before);
  EXPECT_LE(created, c->now());
}

TEST_P(FinanceStore, decides_when_a_rate_starts_only_after_the_settlement_under_way) {
  const auto settling = database.connect();
  settling->begin();
  readTerms(*settling, {kAnna});
  std::atomic<bool> done = false;
  std::thread setter([&] {
    const auto mine = database.connect();
    const auto added = db::transact(*mine, [&](db::Connection& t) {
      return addRate(t, kAnna, BasisPoints{6'000}, std::nullopt, "admin");
    });
    EXPECT_TRUE(added);
    done = true;
  });
  if (c->dialect() == db::Dialect::mysql) {
    EXPECT_TRUE(fixture::eventually([&] { return fixture::waitingForLocks(*c) == 1; },
                                    fixture::kInnodbShowsEvery));
  }
  EXPECT_FALSE(done);
  const Time settled = settling->now();
  settling->commit();
  setter.join();
  EXPECT_GE(number(*c, "SELECT created_at FROM share_rate WHERE anchor_id = 31"), settled.us);
}

TEST_P(FinanceStore, settles_no_tip_at_the_old_rate_from_a_change_on_while_batches_flow) {
  constexpr std::int64_t kChanges = 3;
  // How far the clock of each lane's node is ahead of DB2's: the last one is held back at times.
  constexpr std::array kAhead{milliseconds(0), milliseconds(900), milliseconds(1'200)};
  std::atomic<std::int64_t> until = std::numeric_limits<std::int64_t>::max();
  const SystemClock clock;
  fixture::atOnce(4, [&](int i) {
    if (i == 3) {
      const auto mine = database.connect();
      Time last{};
      for (std::int64_t change = 1; change <= kChanges; ++change) {
        const auto start = steady_clock::now();
        fixture::eventually([&] { return steady_clock::now() - start > milliseconds(100); });
        const auto added = db::transact(*mine, [&](db::Connection& t) {
          return addRate(t, kAnna, BasisPoints{static_cast<std::int32_t>(5'000 + 100 * change)},
                         std::nullopt, "admin");
        });
        last = added->effectiveFrom;
      }
      until = (last + milliseconds(50)).us;
      return;
    }
    LedgerDriver mine(pool);
    const LaneId lane{20 + i};
    for (std::int64_t seq = 1;; seq += 5) {
      const Time now = clock.now() + kAhead[static_cast<std::size_t>(i)];
      if (now.us > until) return;
      std::vector<LedgerTip> tips;
      for (std::int64_t k = 0; k < 5; ++k) {
        tips.push_back(tip(lane, seq + k, k == 4 ? kBob : kAnna, 10 + k, now + Duration{k}));
      }
      EXPECT_EQ(pushed(mine, batchOf(std::move(tips))).status, BatchStatus::applied);
    }
  });

  std::map<std::int64_t, std::int64_t> starts;  // of Anna's rates; before the first, the platform's
  c->query("SELECT effective_from, share_bp FROM share_rate WHERE anchor_id = 31", {},
           [&](const db::Row& row) { starts[row.integer(0)] = row.integer(1); });
  ASSERT_EQ(starts.size(), static_cast<std::size_t>(kChanges));
  std::map<std::int64_t, std::int64_t> settled;
  std::int64_t wrong = 0;
  c->query("SELECT anchor_id, accepted_at, share_bp FROM ledger", {}, [&](const db::Row& row) {
    std::int64_t rate = kHalf.value;
    if (row.integer(0) == kAnna.value) {
      for (const auto& [from, bp] : starts) {
        if (from <= row.integer(1)) rate = bp;
      }
    }
    wrong += row.integer(2) != rate;
    ++settled[row.integer(2)];
  });
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(settled.size(), static_cast<std::size_t>(kChanges + 1)) << "each rate was used";
  expectSumsOfRows();
}

TEST_P(FinanceStore, lists_rates_newest_start_first_and_marks_the_one_in_force) {
  const Time now = c->now();
  const Duration day{kUsPerDay};
  plantRate(kAnna, 6'000, now - 3 * day);
  plantRate(kAnna, 6'100, now - day);
  plantRate(kAnna, 6'200, now - day);  // of one start the one set later counts
  plantRate(kAnna, 6'300, now + day);
  plantRate(AnchorId{0}, 4'000, now - 2 * day);
  plantRate(AnchorId{33}, 1'000, now - day);
  const auto shown = [&](AnchorId anchor, int limit) {
    std::vector<std::string> text;
    std::optional<RatePlace> after;
    for (;;) {
      const auto page = rates(*c, anchor, after, limit);
      for (const auto& [rate, place] : page) {
        text.push_back(fmt::format("{}{}", rate.shareBp.value, rate.inForce ? " in force" : ""));
      }
      if (page.size() < static_cast<std::size_t>(limit)) return text;
      after = page.back().place;
    }
  };
  for (const int limit : {1, 2, 3, 100}) {
    EXPECT_THAT(shown(kAnna, limit),
                ElementsAre("6300", "6200 in force", "6100", "4000", "6000", "5000"));
    EXPECT_THAT(shown(kBob, limit), ElementsAre("4000 in force", "5000"));
  }
  EXPECT_EQ(rateNow(*c, kAnna, now), BasisPoints{6'200});
  EXPECT_EQ(rateNow(*c, kAnna, now + day), BasisPoints{6'300}) << "at the instant of the change";
  EXPECT_EQ(rateNow(*c, kAnna, now + day - Duration{1}), BasisPoints{6'200});
  EXPECT_EQ(rateNow(*c, kAnna, now - 4 * day), kHalf) << "before the first: the platform's";
  EXPECT_EQ(rateNow(*c, kBob, now), BasisPoints{4'000});
}

// Withdrawals -------------------------------------------------------------------------------------

class Withdrawals : public FinanceStore {
 protected:
  static TraceId trace(std::uint64_t n) { return {0x0192f3a4b5c67d8e, n}; }

  Withdrawal take(const TraceId& traceId, std::int64_t fen, AnchorId anchor = kAnna,
                  Time at = kNow) {
    return db::transact(
        *c, [&](db::Connection& t) { return reserve(t, {traceId, anchor, Fen{fen}}, at); });
  }
  Withdrawal end(WithdrawalId id, WithdrawalState state) {
    return db::transact(*c, [&](db::Connection& t) { return finish(t, id, state, kNow); });
  }
  std::vector<std::string> all() { return fixture::dump(*c, {"account", "withdrawal"}); }
  std::vector<std::string> states() {
    return rows(*c, {"anchor_id", "amount", "state", "finished_at"}, "withdrawal ORDER BY id");
  }
  /// Invariants I9 and I10 of the accounts and withdrawals as they stand.
  void expectSound() {
    EXPECT_EQ(number(*c,
                     "SELECT COUNT(*) FROM account WHERE settled_units < 0 OR "
                     "withdrawn_fen < 0 OR reserved_fen < 0 OR "
                     "settled_units < (withdrawn_fen + reserved_fen) * 10000"),
              0);
    EXPECT_EQ(
        rows(*c, {"anchor_id", "withdrawn_fen", "reserved_fen"}, "account ORDER BY anchor_id"),
        rows(*c,
             {"a.anchor_id", "COALESCE(SUM(CASE WHEN w.state = 1 THEN w.amount END), 0)",
              "COALESCE(SUM(CASE WHEN w.state = 0 THEN w.amount END), 0)"},
             "account a LEFT JOIN withdrawal w ON w.anchor_id = a.anchor_id "
             "GROUP BY a.anchor_id ORDER BY a.anchor_id"));
  }
};
TIPFLOW_ON_BOTH(Withdrawals);

TEST_P(Withdrawals, reserve_what_is_available_to_the_last_fen) {
  earn(kAnna, 1'000);
  const auto made = take(trace(1), 400);
  EXPECT_EQ(made.state, WithdrawalState::pending);
  EXPECT_EQ(made.amount, Fen{400});
  EXPECT_EQ(made.anchor, kAnna);
  EXPECT_EQ(made.traceId, trace(1));
  EXPECT_EQ(made.createdAt, kNow);
  EXPECT_THAT(accounts(), ElementsAre("31|10000000|0|400"));
  EXPECT_THROW(take(trace(2), 601), InsufficientBalance);
  take(trace(3), 600);
  EXPECT_THAT(accounts(), ElementsAre("31|10000000|0|1000"));
  EXPECT_THROW(take(trace(4), 1), InsufficientBalance);
  EXPECT_THAT(states(), ElementsAre("31|400|0|NULL", "31|600|0|NULL"));
  EXPECT_EQ(available(*account(*c, kAnna)), Fen{0});
  expectSound();
}

TEST_P(Withdrawals, of_more_than_is_there_leave_nothing_behind) {
  earn(kAnna, 1'000);
  const auto before = all();
  EXPECT_THROW(take(trace(1), 1'001), InsufficientBalance);
  EXPECT_THROW(take(trace(1), kLargestWithdrawal.value), InsufficientBalance);
  EXPECT_THROW(take(trace(1), 1, kBob), InsufficientBalance) << "no account at all";
  EXPECT_EQ(all(), before);
  EXPECT_FALSE(withdrawalByTrace(*c, trace(1)));
  EXPECT_FALSE(account(*c, kBob));
  take(trace(1), 1'000);
}

TEST_P(Withdrawals, pay_whole_fen_and_leave_the_rest_in_the_account) {
  plantRate(kAnna, 3'333, Time{1});
  ASSERT_EQ(apply(batchOf({tip(kLane, 1, kAnna, 3)})).status, BatchStatus::applied);
  EXPECT_THAT(accounts(), ElementsAre("31|9999|0|0"));
  EXPECT_THROW(take(trace(1), 1), InsufficientBalance) << "9,999 units are no fen";
  ASSERT_EQ(apply(batchOf({tip(kLane, 2, kAnna, 1)})).status, BatchStatus::applied);
  EXPECT_THAT(accounts(), ElementsAre("31|13332|0|0"));
  EXPECT_THROW(take(trace(1), 2), InsufficientBalance);
  end(take(trace(1), 1).id, WithdrawalState::paid);
  EXPECT_THAT(accounts(), ElementsAre("31|13332|1|0"));
  expectSound();
}

TEST_P(Withdrawals, stand_once_for_each_trace_id) {
  earn(kAnna, 1'000);
  earn(kBob, 1'000);
  const auto made = take(trace(1), 100);
  const auto before = all();
  EXPECT_THROW(take(trace(1), 100), db::DuplicateKey);
  EXPECT_THROW(take(trace(1), 5), db::DuplicateKey);
  EXPECT_THROW(take(trace(1), 100, kBob), db::DuplicateKey);
  EXPECT_EQ(all(), before);
  const auto found = withdrawalByTrace(*c, trace(1));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, made.id);
  EXPECT_EQ(found->traceId, trace(1));
  EXPECT_EQ(found->anchor, kAnna);
  EXPECT_EQ(found->amount, Fen{100});
  EXPECT_EQ(found->state, WithdrawalState::pending);
  EXPECT_EQ(found->createdAt, kNow);
  EXPECT_FALSE(withdrawalByTrace(*c, trace(2)));
}

TEST_P(Withdrawals, of_the_whole_balance_by_sixteen_at_once_are_granted_once) {
  earn(kAnna, 1'000);
  std::atomic<int> granted = 0;
  std::atomic<int> refused = 0;
  fixture::atOnce(16, [&](int i) {
    const auto mine = database.connect();
    try {
      db::transact(*mine, [&](db::Connection& t) {
        return reserve(t, {trace(static_cast<std::uint64_t>(i)), kAnna, Fen{1'000}}, kNow);
      });
      ++granted;
    } catch (const InsufficientBalance&) {
      ++refused;
    }
  });
  EXPECT_EQ(granted, 1);
  EXPECT_EQ(refused, 15);
  EXPECT_THAT(accounts(), ElementsAre("31|10000000|0|1000"));
  EXPECT_THAT(states(), ElementsAre("31|1000|0|NULL"));
  expectSound();
}

TEST_P(Withdrawals, never_pass_what_is_settled_while_settling_and_paying_go_on) {
  earn(kAnna, 100);
  std::atomic<std::int64_t> paid = 0;
  fixture::atOnce(9, [&](int i) {
    if (i == 8) {
      LedgerDriver mine(pool);
      for (std::int64_t seq = 1; seq <= 20; ++seq) {
        EXPECT_EQ(pushed(mine, batchOf({tip(kLane, seq, kAnna, 20)})).status, BatchStatus::applied);
      }
      return;
    }
    const auto mine = database.connect();
    for (std::uint64_t round = 0; round < 10; ++round) {
      const auto id = trace(100 * static_cast<std::uint64_t>(i) + round);
      try {
        const auto made = db::transact(
            *mine, [&](db::Connection& t) { return reserve(t, {id, kAnna, Fen{7}}, kNow); });
        const bool pays = round % 3 != 0;
        db::transact(*mine, [&](db::Connection& t) {
          return finish(t, made.id, pays ? WithdrawalState::paid : WithdrawalState::rejected, kNow);
        });
        if (pays) paid += 7;
      } catch (const InsufficientBalance&) {
      }
    }
  });
  EXPECT_THAT(accounts(), ElementsAre(fmt::format("31|{}|{}|0", 300 * kUnitsPerFen, paid.load())));
  expectSound();
  expectSumsOfRows();
}

TEST_P(Withdrawals, move_the_reserve_when_paid_and_give_it_back_when_rejected) {
  earn(kAnna, 1'000);
  const auto first = take(trace(1), 300);
  const auto second = take(trace(2), 500);
  const auto paid = end(first.id, WithdrawalState::paid);
  EXPECT_EQ(paid.state, WithdrawalState::paid);
  EXPECT_EQ(paid.id, first.id);
  EXPECT_EQ(paid.amount, Fen{300});
  EXPECT_THAT(accounts(), ElementsAre("31|10000000|300|500"));
  EXPECT_EQ(end(second.id, WithdrawalState::rejected).state, WithdrawalState::rejected);
  EXPECT_THAT(accounts(), ElementsAre("31|10000000|300|0"));
  EXPECT_THAT(states(), ElementsAre(fmt::format("31|300|1|{}", kNow.us),
                                    fmt::format("31|500|2|{}", kNow.us)));
  EXPECT_EQ(available(*account(*c, kAnna)), Fen{700});
  expectSound();
}

TEST_P(Withdrawals, keep_their_final_state_whatever_is_asked_again) {
  earn(kAnna, 1'000);
  const auto paid = take(trace(1), 300).id;
  const auto rejected = take(trace(2), 500).id;
  end(paid, WithdrawalState::paid);
  end(rejected, WithdrawalState::rejected);
  const auto before = all();
  for (const auto state : {WithdrawalState::paid, WithdrawalState::rejected}) {
    EXPECT_EQ(end(paid, state).state, WithdrawalState::paid);
    EXPECT_EQ(end(rejected, state).state, WithdrawalState::rejected);
  }
  EXPECT_EQ(all(), before);
}

TEST_P(Withdrawals, end_once_when_eight_finish_one_at_once) {
  earn(kAnna, 1'000);
  const auto made = take(trace(1), 300);
  std::atomic<int> sawPaid = 0;
  fixture::atOnce(8, [&](int i) {
    const auto mine = database.connect();
    const auto state = i % 2 == 0 ? WithdrawalState::paid : WithdrawalState::rejected;
    const auto after =
        db::transact(*mine, [&](db::Connection& t) { return finish(t, made.id, state, kNow); });
    if (after.state == WithdrawalState::paid) ++sawPaid;
  });
  const bool paid = withdrawalByTrace(*c, trace(1))->state == WithdrawalState::paid;
  EXPECT_EQ(sawPaid, paid ? 8 : 0) << "all see the same end";
  EXPECT_THAT(accounts(), ElementsAre(fmt::format("31|10000000|{}|0", paid ? 300 : 0)));
  expectSound();
}

TEST_P(Withdrawals, are_not_ended_when_the_account_does_not_hold_their_reserve) {
  earn(kAnna, 1'000);
  const auto made = take(trace(1), 300);
  c->exec("UPDATE account SET reserved_fen = 299");
  const auto before = all();
  EXPECT_THROW(end(made.id, WithdrawalState::paid), BrokenInvariant);
  EXPECT_THROW(end(made.id, WithdrawalState::rejected), BrokenInvariant);
  EXPECT_THROW(end(WithdrawalId{made.id.value + 1}, WithdrawalState::paid), BrokenInvariant);
  EXPECT_EQ(all(), before);
}

TEST_P(Withdrawals, are_listed_by_anchor_newest_first_in_pages) {
  earn(kAnna, 1'000);
  earn(kBob, 1'000);
  std::vector<std::int64_t> made;
  for (std::uint64_t i = 0; i < 5; ++i) {
    made.insert(made.begin(), take(trace(i), 10).id.value);
    take(trace(100 + i), 10, kBob);
  }
  for (const int limit : {1, 2, 5, 100}) {
    std::vector<std::int64_t> seen;
    for (std::int64_t before = kNoneBefore;;) {
      const auto page = withdrawals(*c, kAnna, before, limit);
      ASSERT_LE(page.size(), static_cast<std::size_t>(limit));
      if (page.empty()) break;
      for (const auto& one : page) {
        EXPECT_EQ(one.anchor, kAnna);
        seen.push_back(one.id.value);
      }
      before = page.back().id.value;
    }
    EXPECT_EQ(seen, made);
  }
}

TEST_P(Withdrawals, that_pend_too_long_are_found_oldest_first) {
  earn(kAnna, 1'000);
  const auto first = take(trace(1), 10, kAnna, kNow - Duration{30});
  const auto done = take(trace(2), 10, kAnna, kNow - Duration{20});
  const auto second = take(trace(3), 10, kAnna, kNow - Duration{10});
  take(trace(4), 10, kAnna, kNow);
  end(done.id, WithdrawalState::paid);
  const auto ids = [&](int limit) {
    std::vector<WithdrawalId> found;
    for (const auto& one : pending(*c, kNow, limit)) found.push_back(one.id);
    return found;
  };
  EXPECT_THAT(ids(100), ElementsAre(first.id, second.id));
  EXPECT_THAT(ids(1), ElementsAre(first.id));
}

// The books at a glance
// -----------------------------------------------------------------------------

class BooksFigures : public Withdrawals {
 protected:
  BooksFigures() {
    plantRate(kBob, 3'333, kAccepted);
    EXPECT_EQ(apply(batchOf(kLane, 1, 30)).status, BatchStatus::applied);
    EXPECT_EQ(apply(batchOf(LaneId{13}, 1, 9)).status, BatchStatus::applied);
    end(take(trace(1), 10).id, WithdrawalState::paid);
    end(take(trace(2), 20).id, WithdrawalState::rejected);
    take(trace(3), 30);
  }

  Books look() {
    c->beginSnapshot();
    auto seen = books(*c);
    c->commit();
    return seen;
  }
  static void expectZero(const Books& seen) {
    EXPECT_EQ(seen.cursorMismatch, 0);
    EXPECT_EQ(seen.hourUnits, seen.ledgerUnits);
    EXPECT_EQ(seen.accountUnits, seen.ledgerUnits);
    EXPECT_EQ(seen.badSplits, 0);
    EXPECT_EQ(seen.badAccounts, 0);
    EXPECT_EQ(seen.badWithdrawals, 0);
  }
  /// The books as they would look with the corruption, which is undone again.
  Books lookAfter(const std::string& corruption) {
    c->begin();
    const auto changed = c->exec(corruption).matched;
    auto seen = books(*c);
    c->rollback();
    EXPECT_GE(changed, 1) << corruption;
    return seen;
  }
  void expectDirectSums(const Books& seen) {
    for (const auto& [lane, state] : seen.lanes) {
      const auto from = fmt::format("ledger WHERE tip_id > {} AND tip_id < {}", lane.value << 33,
                                    (lane.value + 1) << 33);
      EXPECT_EQ(rows(*c, {"COUNT(*)", "SUM(amount)", "SUM(anchor_units)"}, from),
                std::vector{fmt::format("{}|{}|{}", state.ledger.count, state.ledger.amount.value,
                                        state.anchorUnits.value)});
      EXPECT_EQ(state.cursor.value, state.ledger.count);
    }
    EXPECT_EQ(seen.ledgerUnits.value, number(*c, "SELECT SUM(anchor_units) FROM ledger"));
  }
};
TIPFLOW_ON_BOTH(BooksFigures);

TEST_P(BooksFigures, are_zero_on_books_that_have_seen_nothing) {
  const fixture::TestDatabase fresh(GetParam(), "db2");
  const auto mine = fresh.connect();
  const auto seen = books(*mine);
  EXPECT_TRUE(seen.lanes.empty());
  EXPECT_EQ(seen.ledgerUnits, Units{0});
  expectZero(seen);
}

TEST_P(BooksFigures, are_zero_on_sound_books_and_tell_each_lanes_sums) {
  const auto seen = look();
  expectZero(seen);
  ASSERT_EQ(seen.lanes.size(), 2U);
  EXPECT_EQ(seen.lanes.at(kLane).cursor, LaneSeq{30});
  EXPECT_EQ(seen.lanes.at(kLane).ledger.amount, Fen{30 * 100 + 30 * 31 / 2});
  expectDirectSums(seen);
}

TEST_P(BooksFigures, stay_those_of_the_rows_when_more_is_settled_after_they_were_sealed) {
  keepSeals(*c, look().advance);
  EXPECT_EQ(number(*c, "SELECT SUM(tips) FROM ledger_seal"), 39);
  const auto again = look();
  EXPECT_TRUE(again.advance.empty()) << "nothing new";
  expectZero(again);
  expectDirectSums(again);
  ASSERT_EQ(apply(batchOf(kLane, 31, 55)).status, BatchStatus::applied);
  ASSERT_EQ(apply(batchOf(LaneId{14}, 1, 3)).status, BatchStatus::applied);
  const auto more = look();
  expectZero(more);
  expectDirectSums(more);
  keepSeals(*c, more.advance);
  expectDirectSums(look());
  keepSeals(*c, {});
}

TEST_P(BooksFigures, are_not_sealed_while_a_row_is_missing) {
  c->exec("UPDATE sync_cursor SET last_seq = last_seq + 1 WHERE lane_id = ?", {kLane});
  const auto seen = look();
  EXPECT_EQ(seen.cursorMismatch, 1);
  EXPECT_THAT(seen.advance,
              ::testing::Not(::testing::Contains(::testing::Field(&Books::Seal::lane, kLane))));
  c->exec("UPDATE sync_cursor SET last_seq = last_seq - 1 WHERE lane_id = ?", {kLane});
  const auto again = look();
  expectZero(again);
  EXPECT_THAT(again.advance, ::testing::Contains(::testing::Field(&Books::Seal::lane, kLane)));
}

TEST_P(BooksFigures, stay_right_when_two_readers_keep_their_seals_in_either_order) {
  const auto early = look().advance;
  ASSERT_EQ(apply(batchOf(kLane, 31, 55)).status, BatchStatus::applied);
  keepSeals(*c, look().advance);
  keepSeals(*c, early);
  const auto seen = look();
  expectZero(seen);
  expectDirectSums(seen);
}

TEST_P(BooksFigures, count_lanes_whose_cursor_and_rows_disagree) {
  const auto third = tipIdOf(kLane, LaneSeq{3}).value;
  for (const auto& corruption : {
           fmt::format("DELETE FROM ledger WHERE tip_id = {}", third),
           fmt::format("UPDATE ledger SET amount = amount + 1 WHERE tip_id = {}", third),
           std::string("UPDATE sync_cursor SET last_seq = last_seq + 1 WHERE lane_id = 12"),
           std::string("UPDATE sync_cursor SET last_seq = last_seq - 1 WHERE lane_id = 12"),
           std::string("UPDATE sync_cursor SET amount = amount + 1 WHERE lane_id = 12"),
       }) {
    EXPECT_EQ(lookAfter(corruption).cursorMismatch, 1) << corruption;
  }
  EXPECT_EQ(lookAfter("UPDATE sync_cursor SET amount = amount - 1").cursorMismatch, 2);
  keepSeals(*c, look().advance);
  EXPECT_EQ(
      lookAfter("UPDATE sync_cursor SET last_seq = last_seq - 1 WHERE lane_id = 12").cursorMismatch,
      1)
      << "a cursor that went back behind a seal";
  expectZero(look());
}

TEST_P(BooksFigures, show_ledger_hours_and_accounts_apart) {
  const auto units = look().ledgerUnits;
  const auto third = tipIdOf(kLane, LaneSeq{3}).value;
  EXPECT_EQ(lookAfter(fmt::format("UPDATE ledger SET anchor_units = anchor_units + 1 "
                                  "WHERE tip_id = {}",
                                  third))
                .ledgerUnits,
            units + Units{1});
  EXPECT_NE(lookAfter(fmt::format("DELETE FROM ledger WHERE tip_id = {}", third)).ledgerUnits,
            units);
  EXPECT_NE(lookAfter("DELETE FROM sync_cursor WHERE lane_id = 13").ledgerUnits, units);
  EXPECT_EQ(lookAfter("UPDATE account SET settled_units = settled_units - 1 WHERE anchor_id = 31")
                .accountUnits,
            units - Units{1});
  EXPECT_NE(lookAfter("DELETE FROM account WHERE anchor_id = 32").accountUnits, units);
  EXPECT_EQ(lookAfter("UPDATE settlement_hour SET anchor_units = anchor_units + 1 "
                      "WHERE anchor_id = 31")
                .hourUnits,
            units + Units{1});
  EXPECT_NE(lookAfter("DELETE FROM settlement_hour WHERE anchor_id = 32").hourUnits, units);
}

TEST_P(BooksFigures, count_hours_whose_parts_are_not_amount_times_rate) {
  for (const char* change :
       {"anchor_units = anchor_units - 1", "amount = amount + 1", "share_bp = share_bp + 1"}) {
    EXPECT_EQ(lookAfter(fmt::format("UPDATE settlement_hour SET {} WHERE anchor_id = 31", change))
                  .badSplits,
              1)
        << change;
  }
}

TEST_P(BooksFigures, count_accounts_that_owe_more_than_they_hold) {
  EXPECT_EQ(
      lookAfter("UPDATE account SET withdrawn_fen = 99999999 WHERE anchor_id = 31").badAccounts, 1);
  EXPECT_EQ(lookAfter("UPDATE account SET reserved_fen = 99999999").badAccounts, 2);
  EXPECT_EQ(lookAfter("UPDATE account SET settled_units = 399999 WHERE anchor_id = 31").badAccounts,
            1)
      << "one unit less than is withdrawn and reserved";
}

TEST_P(BooksFigures, count_accounts_that_disagree_with_their_withdrawals) {
  for (const char* corruption : {
           "UPDATE withdrawal SET state = 2 WHERE state = 1",
           "UPDATE withdrawal SET state = 1 WHERE state = 2",
           "UPDATE withdrawal SET state = 1 WHERE state = 0",
           "UPDATE withdrawal SET amount = amount + 1 WHERE state = 1",
           "UPDATE withdrawal SET amount = amount + 1 WHERE state = 0",
           "DELETE FROM withdrawal WHERE state = 0",
           "UPDATE account SET withdrawn_fen = withdrawn_fen + 1 WHERE anchor_id = 31",
           "UPDATE account SET reserved_fen = reserved_fen - 1 WHERE anchor_id = 31",
       }) {
    EXPECT_EQ(lookAfter(corruption).badWithdrawals, 1) << corruption;
  }
  EXPECT_EQ(
      lookAfter("UPDATE withdrawal SET anchor_id = 99, state = 1 WHERE state = 2").badWithdrawals,
      1)
      << "paid to an anchor that has no account";
}

TEST_P(FinanceStore, sums_up_what_is_pending) {
  EXPECT_EQ(pendingSum(*c).count, 0);
  EXPECT_EQ(pendingSum(*c).oldest, std::nullopt);
  earn(kAnna, 1'000);
  const auto first = reserve(*c, {TraceId{1, 1}, kAnna, Fen{10}}, kNow);
  reserve(*c, {TraceId{2, 2}, kAnna, Fen{20}}, kNow + Duration{5});
  EXPECT_EQ(pendingSum(*c).count, 2);
  EXPECT_EQ(pendingSum(*c).oldest, kNow);
  bool changed = false;
  finish(*c, first.id, WithdrawalState::paid, kNow, &changed);
  EXPECT_TRUE(changed);
  finish(*c, first.id, WithdrawalState::rejected, kNow, &changed);
  EXPECT_FALSE(changed);
  EXPECT_EQ(pendingSum(*c).count, 1);
  EXPECT_EQ(pendingSum(*c).oldest, kNow + Duration{5});
}

TEST_P(FinanceStore, counts_batches_tips_and_money_once) {
  Metrics metrics;
  LedgerMetrics counted(metrics);
  LedgerDriver measured(pool, &counted);
  const auto batch = batchOf(kLane, 1, 3);  // 101 + 102 + 103 fen
  ASSERT_EQ(measured.apply(batch).status, BatchStatus::applied);
  ASSERT_EQ(measured.apply(batch).status, BatchStatus::conflict);
  const auto text = metrics.text();
  for (const auto* line :
       {R"(tipflow_ledger_batches_total{outcome="applied"} 1)",
        R"(tipflow_ledger_batches_total{outcome="conflict"} 1)", "tipflow_ledger_tips_total 3",
        "tipflow_ledger_amount_fen_total 306", "tipflow_ledger_apply_seconds_count 2"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "\nin\n" << text;
  }
}

}  // namespace
}  // namespace tipflow::finance::store
