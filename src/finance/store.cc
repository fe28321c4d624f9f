#include "finance/store.h"

#include <fmt/format.h>

#include "platform/db/dialect.h"

namespace tipflow::finance::store {
namespace {

// Rates of anchor 0 are the platform's.
constexpr AnchorId kPlatform{0};

constexpr const char* kMoveCursor = R"(
  UPDATE sync_cursor SET last_seq = ?, amount = amount + ? WHERE lane_id = ? AND last_seq = ?)";
constexpr const char* kInsertLedger = R"(INSERT INTO ledger (tip_id, anchor_id, viewer_id, amount,
  share_bp, anchor_units, anchor_gender, viewer_gender, accepted_at))";
constexpr const char* kInsertBatch = R"(INSERT INTO ledger_batch
  (lane_id, to_seq, from_seq, committed_at, pushed_at, settled_at) VALUES (?, ?, ?, ?, ?, ?))";
constexpr const char* kSettlement = R"(
  SELECT l.share_bp, l.anchor_units, l.amount, l.accepted_at FROM ledger l WHERE l.tip_id = ?)";
constexpr const char* kBatchOf = R"(
  SELECT committed_at, pushed_at, settled_at, to_seq FROM ledger_batch
  WHERE lane_id = ? AND to_seq >= ? ORDER BY to_seq LIMIT 1)";
constexpr const char* kReserve = R"(
  UPDATE account SET reserved_fen = reserved_fen + ?
  WHERE anchor_id = ? AND settled_units >= (withdrawn_fen + reserved_fen + ?) * 10000)";
constexpr const char* kPaid = R"(
  UPDATE account SET reserved_fen = reserved_fen - ?, withdrawn_fen = withdrawn_fen + ?
  WHERE anchor_id = ? AND reserved_fen >= ?)";
constexpr const char* kGivenBack = R"(
  UPDATE account SET reserved_fen = reserved_fen - ? WHERE anchor_id = ? AND reserved_fen >= ?)";
constexpr const char* kWithdrawalColumns = R"(
  SELECT id, trace_id, anchor_id, amount, state, created_at FROM withdrawal)";
constexpr const char* kCursors = R"(
  SELECT c.lane_id, c.last_seq, c.amount, s.seq, s.tips, s.amount, s.anchor_units
  FROM sync_cursor c LEFT JOIN ledger_seal s ON s.lane_id = c.lane_id ORDER BY c.lane_id)";
constexpr const char* kLedgerRange = R"(
  SELECT COUNT(*), COALESCE(SUM(amount), 0), COALESCE(SUM(anchor_units), 0)
  FROM ledger WHERE tip_id > ? AND tip_id <= ?)";
constexpr const char* kBadAccounts = R"(
  SELECT COUNT(*) FROM account WHERE settled_units < 0 OR withdrawn_fen < 0 OR reserved_fen < 0
  OR settled_units < (withdrawn_fen + reserved_fen) * 10000)";
constexpr const char* kBadWithdrawals = R"(
  SELECT COUNT(*) FROM account a LEFT JOIN (
    SELECT anchor_id, SUM(CASE WHEN state = 1 THEN amount ELSE 0 END) AS paid,
           SUM(CASE WHEN state = 0 THEN amount ELSE 0 END) AS pending
    FROM withdrawal GROUP BY anchor_id) w ON w.anchor_id = a.anchor_id
  WHERE a.withdrawn_fen <> COALESCE(w.paid, 0) OR a.reserved_fen <> COALESCE(w.pending, 0))";

constexpr const char* kHomelessWithdrawals = R"(
  SELECT COUNT(*) FROM withdrawal w LEFT JOIN account a ON a.anchor_id = w.anchor_id
  WHERE a.anchor_id IS NULL)";

std::string places(std::size_t count) {
  std::string text = "?";
  for (std::size_t i = 1; i < count; ++i) text += ",?";
  return text;
}

Withdrawal readWithdrawal(const db::Row& row) {
  return {row.id<WithdrawalId>(0),
          TraceId::fromBytes(row.text(1)),
          row.id<AnchorId>(2),
          Fen{row.integer(3)},
          static_cast<WithdrawalState>(row.integer(4)),
          row.time(5)};
}

std::int64_t one(db::Connection& connection, std::string_view sql) {
  std::int64_t value = 0;
  connection.query(sql, {}, [&](const db::Row& row) { value = row.integer(0); });
  return value;
}

void requireOneRow(const db::ExecResult& result, const char* what) {
  if (result.matched != 1) throw BrokenInvariant(what);
}

}  // namespace

std::int64_t moveCursor(db::Connection& connection, const LedgerReceiver::MoveCursor& step) {
  if (step.from == LaneSeq{1}) {
    connection.exec("INSERT INTO sync_cursor (lane_id, last_seq, amount) VALUES (?, 0, 0)" +
                        db::orKeep(connection.dialect(), "lane_id"),
                    {step.lane});
  }
  return connection.exec(kMoveCursor, {step.to, step.amount, step.lane, step.from.value - 1})
      .matched;
}

LaneSeq cursor(db::Connection& connection, LaneId lane) {
  LaneSeq seq;
  connection.query("SELECT last_seq FROM sync_cursor WHERE lane_id = ?", {lane},
                   [&](const db::Row& row) { seq = row.id<LaneSeq>(0); });
  return seq;
}

Terms readTerms(db::Connection& connection, const std::vector<AnchorId>& anchors) {
  connection.query(fmt::format("SELECT id FROM share_rate_guard WHERE id = 1{}",
                               db::forShare(connection.dialect())),
                   {}, [](const db::Row&) {});
  Terms terms;
  terms.now = connection.now();
  std::vector<db::Param> params{kPlatform};
  params.insert(params.end(), anchors.begin(), anchors.end());
  connection.query(fmt::format("SELECT anchor_id, effective_from, share_bp FROM share_rate "
                               "WHERE anchor_id IN ({}) ORDER BY anchor_id, effective_from, id",
                               places(params.size())),
                   params, [&](const db::Row& row) {
                     const auto anchor = row.id<AnchorId>(0);
                     const ShareRate rate{row.time(1),
                                          BasisPoints{static_cast<std::int32_t>(row.integer(2))}};
                     if (anchor == kPlatform) {
                       terms.platformRates.push_back(rate);
                       return;
                     }
                     if (terms.anchorRates.empty() || terms.anchorRates.back().anchor != anchor) {
                       terms.anchorRates.push_back({anchor, {}});
                     }
                     terms.anchorRates.back().rates.push_back(rate);
                   });
  return terms;
}

void book(db::Connection& connection, const LedgerBatch& batch, const LedgerReceiver::Book& book) {
  const auto dialect = connection.dialect();
  std::vector<db::Param> values;
  values.reserve(book.rows.size() * 9);
  for (const auto& [tip, rate, units] : book.rows) {
    values.insert(values.end(), {tip.id, tip.anchor, tip.viewer, tip.amount, rate, units,
                                 tip.anchorGender, tip.viewerGender, tip.acceptedAt});
  }
  connection.insertRows(kInsertLedger, 9, values, "");
  values.clear();
  for (const auto& sum : book.sums) {
    values.insert(values.end(),
                  {sum.anchor, sum.hour, sum.rate, sum.tips, sum.amount, sum.anchorUnits});
  }
  connection.insertRows(
      "INSERT INTO settlement_hour (anchor_id, hour, share_bp, tips, amount, anchor_units)", 6,
      values,
      db::upsertAdd(dialect, "anchor_id, hour, share_bp", {"tips", "amount", "anchor_units"}));
  values.clear();
  for (const auto& credit : book.credits) {
    values.insert(values.end(), {credit.anchor, credit.units, 0, 0});
  }
  connection.insertRows(
      "INSERT INTO account (anchor_id, settled_units, withdrawn_fen, reserved_fen)", 4, values,
      db::upsertAdd(dialect, "anchor_id", {"settled_units"}));
  connection.exec(kInsertBatch, {batch.lane, batch.to, batch.from, batch.committedAt,
                                 batch.pushedAt, book.settledAt});
}

std::optional<Settlement> settlement(db::Connection& connection, TipId tip) {
  std::optional<Settlement> found;
  connection.query(kSettlement, {tip}, [&](const db::Row& row) {
    Settlement s;
    s.rate = BasisPoints{static_cast<std::int32_t>(row.integer(0))};
    s.anchorUnits = Units{row.integer(1)};
    s.platformUnits = Units{row.integer(2) * kUnitsPerFen} - s.anchorUnits;
    s.acceptedAt = row.time(3);
    found = s;
  });
  if (!found) return found;
  connection.query(kBatchOf, {laneOf(tip), seqOf(tip)}, [&](const db::Row& row) {
    found->committedAt = row.optionalTime(0);
    found->pushedAt = row.time(1);
    found->settledAt = row.time(2);
  });
  return found;
}

void seed(db::Connection& connection, BasisPoints platformRate) {
  db::transact(connection, [&](db::Connection& c) {
    c.exec("INSERT INTO share_rate_guard (id) VALUES (1)" + db::orKeep(c.dialect(), "id"));
    // The guard is held, so that two nodes at their first start write one rate.
    c.query(
        fmt::format("SELECT id FROM share_rate_guard WHERE id = 1{}", db::forUpdate(c.dialect())),
        {}, [](const db::Row&) {});
    if (one(c, "SELECT COUNT(*) FROM share_rate WHERE anchor_id = 0") > 0) return;
    c.exec(
        "INSERT INTO share_rate (anchor_id, share_bp, effective_from, created_at, created_by) "
        "VALUES (0, ?, 0, ?, 'first start')",
        {platformRate, c.now()});
  });
}

Result<NewShareRate> addRate(db::Connection& connection, AnchorId anchor, BasisPoints rate,
                             std::optional<Time> asked, const std::string& by) {
  // Held alone: no settlement is under way that read the rates before this one, and DB2's clock is
  // read after the last that did (money.md section 3).
  connection.query(fmt::format("SELECT id FROM share_rate_guard WHERE id = 1{}",
                               db::forUpdate(connection.dialect())),
                   {}, [](const db::Row&) {});
  const Time now = connection.now();
  const auto from = effectiveFrom(asked, now);
  if (!from) return from.error();
  connection.exec(
      "INSERT INTO share_rate (anchor_id, share_bp, effective_from, created_at, created_by) "
      "VALUES (?, ?, ?, ?, ?)",
      {anchor, rate, *from, now, by});
  return NewShareRate{rate, *from};
}

std::vector<StoredRate> rates(db::Connection& connection, AnchorId anchor,
                              std::optional<RatePlace> after, int limit) {
  const Time now = connection.now();
  const auto inForce = [&](AnchorId owner) {
    std::int64_t id = 0;
    connection.query(
        "SELECT id FROM share_rate WHERE anchor_id = ? AND effective_from <= ? "
        "ORDER BY effective_from DESC, id DESC LIMIT 1",
        {owner, now}, [&](const db::Row& row) { id = row.integer(0); });
    return id;
  };
  const auto own = inForce(anchor);
  const auto current = own != 0 ? own : inForce(kPlatform);
  // The platform's rates sort behind the anchor's own from the same or an earlier time on.
  std::string sql =
      "SELECT id, share_bp, effective_from, created_at FROM share_rate WHERE anchor_id IN (?, 0)";
  std::vector<db::Param> params{anchor};
  if (after) {
    sql += " AND (effective_from < ? OR (effective_from = ? AND id < ?))";
    params.insert(params.end(), {after->effectiveFrom, after->effectiveFrom, after->id});
  }
  sql += " ORDER BY effective_from DESC, id DESC LIMIT ?";
  params.emplace_back(limit);
  std::vector<StoredRate> found;
  connection.query(sql, params, [&](const db::Row& row) {
    StoredRate stored;
    stored.place = {row.time(2), row.integer(0)};
    stored.rate = {BasisPoints{static_cast<std::int32_t>(row.integer(1))}, row.time(2), row.time(3),
                   row.integer(0) == current};
    found.push_back(stored);
  });
  return found;
}

BasisPoints rateNow(db::Connection& connection, AnchorId anchor, Time now) {
  BasisPoints rate;
  for (const auto owner : {kPlatform, anchor}) {
    connection.query(
        "SELECT share_bp FROM share_rate WHERE anchor_id = ? AND effective_from <= ? "
        "ORDER BY effective_from DESC, id DESC LIMIT 1",
        {owner, now},
        [&](const db::Row& row) { rate = BasisPoints{static_cast<std::int32_t>(row.integer(0))}; });
  }
  return rate;
}

std::optional<Account> account(db::Connection& connection, AnchorId anchor) {
  std::optional<Account> found;
  connection.query(
      "SELECT settled_units, withdrawn_fen, reserved_fen FROM account WHERE anchor_id = ?",
      {anchor}, [&](const db::Row& row) {
        found = Account{Units{row.integer(0)}, Fen{row.integer(1)}, Fen{row.integer(2)}};
      });
  return found;
}

Withdrawal reserve(db::Connection& connection, const WithdrawalRequest& request, Time now) {
  const auto inserted = connection.exec(
      "INSERT INTO withdrawal (trace_id, anchor_id, amount, state, created_at) "
      "VALUES (?, ?, ?, 0, ?)",
      {request.traceId, request.anchor, request.amount, now});
  if (connection.exec(kReserve, {request.amount, request.anchor, request.amount}).matched != 1) {
    throw InsufficientBalance{};
  }
  return {WithdrawalId{inserted.lastId},
          request.traceId,
          request.anchor,
          request.amount,
          WithdrawalState::pending,
          now};
}

std::optional<Withdrawal> withdrawalByTrace(db::Connection& connection, const TraceId& traceId) {
  std::optional<Withdrawal> found;
  connection.query(fmt::format("{} WHERE trace_id = ?", kWithdrawalColumns), {traceId},
                   [&](const db::Row& row) { found = readWithdrawal(row); });
  return found;
}

Withdrawal finish(db::Connection& connection, WithdrawalId id, WithdrawalState state, Time now,
                  bool* changedNow) {
  const auto changed =
      connection.exec("UPDATE withdrawal SET state = ?, finished_at = ? WHERE id = ? AND state = 0",
                      {state, now, id});
  std::optional<Withdrawal> found;
  connection.query(fmt::format("{} WHERE id = ?", kWithdrawalColumns), {id},
                   [&](const db::Row& row) { found = readWithdrawal(row); });
  if (!found) throw BrokenInvariant("a withdrawal that was reserved is not there");
  if (changedNow != nullptr) *changedNow = changed.matched > 0;
  if (changed.matched == 0) return *found;  // somebody else finished it: final states stay
  const auto amount = found->amount;
  if (state == WithdrawalState::paid) {
    requireOneRow(connection.exec(kPaid, {amount, amount, found->anchor, amount}),
                  "an account holds less in reserve than was reserved");
  } else {
    requireOneRow(connection.exec(kGivenBack, {amount, found->anchor, amount}),
                  "an account holds less in reserve than was reserved");
  }
  return *found;
}

std::vector<Withdrawal> withdrawals(db::Connection& connection, AnchorId anchor,
                                    std::int64_t before, int limit) {
  std::vector<Withdrawal> found;
  connection.query(
      fmt::format("{} WHERE anchor_id = ? AND id < ? ORDER BY id DESC LIMIT ?", kWithdrawalColumns),
      {anchor, before, limit}, [&](const db::Row& row) { found.push_back(readWithdrawal(row)); });
  return found;
}

std::vector<Withdrawal> pending(db::Connection& connection, Time before, int limit) {
  std::vector<Withdrawal> found;
  connection.query(
      fmt::format("{} WHERE state = 0 AND created_at < ? ORDER BY id LIMIT ?", kWithdrawalColumns),
      {before, limit}, [&](const db::Row& row) { found.push_back(readWithdrawal(row)); });
  return found;
}

PendingSum pendingSum(db::Connection& connection) {
  PendingSum sum;
  connection.query("SELECT COUNT(*), MIN(created_at) FROM withdrawal WHERE state = 0", {},
                   [&](const db::Row& row) { sum = {row.integer(0), row.optionalTime(1)}; });
  return sum;
}

std::vector<HourRow> hours(db::Connection& connection, AnchorId anchor, Time from, Time to) {
  std::vector<HourRow> found;
  connection.query(
      "SELECT hour, share_bp, tips, amount, anchor_units FROM settlement_hour "
      "WHERE anchor_id = ? AND hour >= ? AND hour < ? ORDER BY hour, share_bp",
      {anchor, from, to}, [&](const db::Row& row) {
        found.push_back({row.time(0),
                         BasisPoints{static_cast<std::int32_t>(row.integer(1))},
                         {row.integer(2), Fen{row.integer(3)}, Units{row.integer(4)}}});
      });
  return found;
}

Books books(db::Connection& connection) {
  Books books;
  std::vector<Books::Seal> seals;
  std::vector<Fen> cursorAmounts;
  connection.query(kCursors, {}, [&](const db::Row& row) {
    books.lanes[row.id<LaneId>(0)].cursor = row.id<LaneSeq>(1);
    cursorAmounts.push_back(Fen{row.integer(2)});
    seals.push_back({row.id<LaneId>(0),
                     LaneSeq{row.optionalInteger(3).value_or(0)},
                     {row.optionalInteger(4).value_or(0), Fen{row.optionalInteger(5).value_or(0)}},
                     Units{row.optionalInteger(6).value_or(0)}});
  });
  for (std::size_t i = 0; i < seals.size(); ++i) {
    auto& seal = seals[i];
    auto& lane = books.lanes[seal.lane];
    if (lane.cursor > seal.seq) {
      connection.query(kLedgerRange,
                       {tipIdOf(seal.lane, seal.seq), tipIdOf(seal.lane, lane.cursor)},
                       [&](const db::Row& row) {
                         seal.sum.count += row.integer(0);
                         seal.sum.amount += Fen{row.integer(1)};
                         seal.anchorUnits += Units{row.integer(2)};
                       });
      seal.seq = lane.cursor;
      // Rows that are not there, or not to be seen yet, must not be missing for ever.
      if (seal.sum.count == lane.cursor.value) books.advance.push_back(seal);
    }
    lane.ledger = seal.sum;
    lane.anchorUnits = seal.anchorUnits;
    if (seal.sum.count != lane.cursor.value || seal.sum.amount != cursorAmounts[i]) {
      ++books.cursorMismatch;
    }
    books.ledgerUnits += seal.anchorUnits;
  }
  books.hourUnits =
      Units{one(connection, "SELECT COALESCE(SUM(anchor_units), 0) FROM settlement_hour")};
  books.accountUnits =
      Units{one(connection, "SELECT COALESCE(SUM(settled_units), 0) FROM account")};
  books.badSplits = one(
      connection, "SELECT COUNT(*) FROM settlement_hour WHERE anchor_units <> amount * share_bp");
  books.badAccounts = one(connection, kBadAccounts);
  books.badWithdrawals = one(connection, kBadWithdrawals) + one(connection, kHomelessWithdrawals);
  return books;
}

void keepSeals(db::Connection& connection, const std::vector<Books::Seal>& seals) {
  if (seals.empty()) return;
  std::vector<db::Param> values;
  for (const auto& seal : seals) {
    values.insert(values.end(),
                  {seal.lane, seal.seq, seal.sum.count, seal.sum.amount, seal.anchorUnits});
  }
  connection.insertRows(
      "INSERT INTO ledger_seal (lane_id, seq, tips, amount, anchor_units)", 5, values,
      db::upsertSet(connection.dialect(), "lane_id", {"seq", "tips", "amount", "anchor_units"}));
}

}  // namespace tipflow::finance::store
