#include "audit/read.h"

#include <vector>

namespace tipflow::audit {
namespace {

constexpr int kChunk = 50'000;

constexpr const char* kTips = R"(
  SELECT tip_id, anchor_id, viewer_id, amount, accepted_at, anchor_gender, viewer_gender
  FROM tip WHERE tip_id > ? ORDER BY tip_id LIMIT ?)";
constexpr const char* kLedger = R"(
  SELECT tip_id, anchor_id, viewer_id, amount, accepted_at, anchor_gender, viewer_gender, share_bp,
         anchor_units
  FROM ledger WHERE tip_id > ? AND tip_id <= ? ORDER BY tip_id)";

TipRow readTip(const db::Row& row) {
  return {row.integer(0),
          row.integer(1),
          row.integer(2),
          row.integer(3),
          row.integer(4),
          static_cast<int>(row.integer(5)),
          static_cast<int>(row.integer(6))};
}

void merge(Books& books, const std::vector<TipRow>& tips, const std::vector<LedgerRow>& ledger) {
  std::size_t t = 0;
  std::size_t l = 0;
  while (t < tips.size() || l < ledger.size()) {
    if (l == ledger.size() || (t < tips.size() && tips[t].tipId < ledger[l].tip.tipId)) {
      books.addTipOnly(tips[t++]);
    } else if (t == tips.size() || ledger[l].tip.tipId < tips[t].tipId) {
      books.addLedgerOnly(ledger[l++]);
    } else {
      books.addPair(tips[t++], ledger[l++]);
    }
  }
}

void readSmallTables(Books& books, db::Connection& db2) {
  db2.query(
      "SELECT anchor_id, effective_from, share_bp FROM share_rate ORDER BY id", {},
      [&](const db::Row& row) { books.addRate({row.integer(0), row.integer(1), row.integer(2)}); });
  db2.query("SELECT lane_id, last_seq, amount FROM sync_cursor", {}, [&](const db::Row& row) {
    books.addCursor(row.integer(0), row.integer(1), row.integer(2));
  });
  db2.query("SELECT lane_id, from_seq, to_seq FROM ledger_batch ORDER BY lane_id, to_seq", {},
            [&](const db::Row& row) {
              books.addBatch({row.integer(0), row.integer(1), row.integer(2)});
            });
  db2.query("SELECT anchor_id, settled_units, withdrawn_fen, reserved_fen FROM account", {},
            [&](const db::Row& row) {
              books.addAccount({row.integer(0), row.integer(1), row.integer(2), row.integer(3)});
            });
  db2.query(
      "SELECT id, anchor_id, amount, state, trace_id FROM withdrawal", {}, [&](const db::Row& row) {
        books.addWithdrawal({row.integer(0), row.integer(1), row.integer(2),
                             static_cast<int>(row.integer(3)), TraceId::fromBytes(row.text(4))});
      });
  db2.query("SELECT withdrawal_id, amount, paid FROM sandbox_payout", {}, [&](const db::Row& row) {
    books.addPayout({row.integer(0), row.integer(1), row.integer(2) == 1});
  });
}

constexpr const char* kLedgerChunk = R"(
  SELECT tip_id, anchor_id, viewer_id, amount, accepted_at, anchor_gender, viewer_gender, share_bp,
         anchor_units
  FROM ledger WHERE tip_id > ? ORDER BY tip_id LIMIT ?)";

std::int64_t number(db::Connection& connection, std::string_view sql) {
  std::int64_t value = 0;
  connection.query(sql, {}, [&](const db::Row& row) { value = row.integer(0); });
  return value;
}

void readMarks(Sums& sums, db::Connection& db2) {
  db2.query("SELECT lane_id, last_seq, amount FROM analysis_progress", {}, [&](const db::Row& row) {
    sums.addProgress(row.integer(0), row.integer(1), row.integer(2));
  });
  const auto round = number(
      db2, "SELECT COALESCE(MAX(round), 0) FROM portrait_round WHERE published_at IS NOT NULL");
  db2.query("SELECT tips, viewers FROM portrait_round WHERE round = ?", {round},
            [&](const db::Row& row) { sums.setRound(row.integer(0), row.integer(1)); });
  db2.query("SELECT lane_id, last_seq FROM portrait_cutoff WHERE round = ?", {round},
            [&](const db::Row& row) { sums.addCutoff(row.integer(0), row.integer(1)); });
}

void readCells(Sums& sums, db::Connection& db2) {
  const auto cell = [](const db::Row& row) {
    return CellRow{row.integer(0), row.integer(1), row.integer(2), row.integer(3),
                   row.integer(4), row.integer(5), row.integer(6)};
  };
  db2.query(
      "SELECT hour, anchor_id, anchor_gender, viewer_gender, amount, tips, anchor_units "
      "FROM hourly_tip",
      {}, [&](const db::Row& row) { sums.addCell(cell(row)); });
  db2.query(
      "SELECT hour, 0, anchor_gender, viewer_gender, amount, tips, anchor_units FROM hourly_sum",
      {}, [&](const db::Row& row) { sums.addHour(cell(row)); });
  db2.query(
      "SELECT day, anchor_id, anchor_gender, viewer_gender, amount, tips, anchor_units "
      "FROM daily_tip",
      {}, [&](const db::Row& row) { sums.addDay(cell(row)); });
}

void readViewers(Sums& sums, db::Connection& db2) {
  db2.query("SELECT day, block, bits FROM daily_payer", {}, [&](const db::Row& row) {
    sums.addPayers(row.integer(0), row.integer(1), row.text(2));
  });
  db2.query("SELECT viewer_id, total, tips, first_at, last_at FROM viewer_total", {},
            [&](const db::Row& row) {
              sums.addTotal(
                  {row.integer(0), row.integer(1), row.integer(2), row.integer(3), row.integer(4)});
            });
  const auto round = number(
      db2, "SELECT COALESCE(MAX(round), 0) FROM portrait_round WHERE published_at IS NOT NULL");
  db2.query("SELECT viewer_id, total, tips, place, tier FROM portrait WHERE round = ?", {round},
            [&](const db::Row& row) {
              sums.addPortrait(
                  {row.integer(0), row.integer(1), row.integer(2), row.integer(3), row.integer(4)});
            });
  db2.query("SELECT tier, viewers, total, least, most FROM portrait_tier WHERE round = ?", {round},
            [&](const db::Row& row) {
              sums.addTier(
                  {row.integer(0), row.integer(1), row.integer(2), row.integer(3), row.integer(4)});
            });
}

}  // namespace

Books readBooks(db::Connection& db1, db::Connection& db2, const Progress& progress) {
  Books books;
  db2.beginSnapshot();
  readSmallTables(books, db2);
  db1.beginSnapshot();
  std::int64_t after = 0;
  std::int64_t count = 0;
  for (bool more = true; more;) {
    std::vector<TipRow> tips;
    db1.query(kTips, {after, kChunk}, [&](const db::Row& row) { tips.push_back(readTip(row)); });
    more = tips.size() == kChunk;
    const std::int64_t end = more ? tips.back().tipId : kIdEnd;
    std::vector<LedgerRow> ledger;
    db2.query(kLedger, {after, end}, [&](const db::Row& row) {
      ledger.push_back({readTip(row), row.integer(7), row.integer(8)});
    });
    merge(books, tips, ledger);
    after = end;
    count += static_cast<std::int64_t>(tips.size());
    progress(count);
  }
  db2.query("SELECT anchor_id, hour, share_bp, tips, amount, anchor_units FROM settlement_hour", {},
            [&](const db::Row& row) {
              books.addHour({row.integer(0), row.integer(1), row.integer(2), row.integer(3),
                             row.integer(4), row.integer(5)});
            });
  db1.rollback();
  db2.rollback();
  return books;
}

Sums readSums(db::Connection& db2, std::function<std::int64_t(std::int64_t)> dayOf,
              const Progress& progress) {
  Sums sums(std::move(dayOf));
  db2.beginSnapshot();
  if (number(db2, "SELECT COALESCE(MAX(clearing), 0) FROM analysis_state") != 0) {
    sums.skip();
  } else {
    readMarks(sums, db2);
    std::int64_t after = 0;
    std::int64_t count = 0;
    for (bool more = true; more;) {
      int found = 0;
      db2.query(kLedgerChunk, {after, kChunk}, [&](const db::Row& row) {
        sums.addLedger({readTip(row), row.integer(7), row.integer(8)});
        after = row.integer(0);
        ++found;
      });
      more = found == kChunk;
      count += found;
      progress(count);
    }
    readCells(sums, db2);
    readViewers(sums, db2);
  }
  db2.rollback();
  return sums;
}

}  // namespace tipflow::audit
