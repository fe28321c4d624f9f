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

}  // namespace tipflow::audit
