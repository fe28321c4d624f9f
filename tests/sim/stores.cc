#include "stores.h"

#include <algorithm>

namespace tipflow::sim::store {

using finance::LedgerReceiver;
using finance::LedgerTip;
using finance::Withdrawal;
using finance::WithdrawalState;

namespace {

constexpr AnchorId kPlatform{0};
constexpr int kGuard = 1;

void insertTip(Db1& db, const Txn& txn, const NumberedTip& tip) {
  db.tips.insert(txn, tip.id, {tip, ++db.lastTip});
  db.tipOfTrace.insert(txn, tip.tip.traceId, tip.id);
}

}  // namespace

void insertTips(Db1& db, const Txn& txn, const std::vector<NumberedTip>& tips) {
  for (const auto& tip : tips) insertTip(db, txn, tip);
}

void insertNewTips(Db1& db, const Txn& txn, const std::vector<NumberedTip>& tips) {
  for (const auto& tip : tips) {
    if (db.tipOfTrace.lock(txn, tip.tip.traceId) != nullptr) continue;
    if (db.tips.lock(txn, tip.id) == nullptr) insertTip(db, txn, tip);
  }
}

std::vector<NumberedTip> tipsByTrace(Db1& db, const Txn& txn,
                                     const std::vector<TraceId>& traceIds) {
  std::vector<NumberedTip> found;
  for (const auto& traceId : traceIds) {
    if (const auto* id = db.tipOfTrace.find(txn, traceId)) {
      found.push_back(db.tips.find(txn, *id)->tip);
    }
  }
  return found;
}

bool tipExists(Db1& db, const Txn& txn, TipId id) { return db.tips.find(txn, id) != nullptr; }

LaneId openLane(Db1& db, const Txn& txn, const LaneRow& lane) {
  const LaneId id{++db.lastLane};
  db.lanes.insert(txn, id, lane);
  return id;
}

void renewLanes(Db1& db, const Txn& txn, const std::string& process, Duration lease) {
  for (const auto& [id, row] : db.lanes.committed()) {
    if (row.state != LaneState::open || row.process != process) continue;
    LaneRow renewed = *db.lanes.lock(txn, id);
    renewed.leaseUntil = txn.now + lease;
    db.lanes.put(txn, id, renewed);
  }
}

void setLaneState(Db1& db, const Txn& txn, LaneId lane, LaneState state) {
  LaneRow row = *db.lanes.lock(txn, lane);
  row.state = state;
  db.lanes.put(txn, lane, row);
}

std::vector<Orphan> orphanedLanes(Db1& db, const Txn& txn, const std::string& node,
                                  const std::string& process) {
  std::vector<Orphan> orphans;
  for (const auto& [id, row] : db.lanes.committed()) {
    const bool left = row.state == LaneState::open && row.process != process &&
                      (row.node == node || row.leaseUntil < txn.now);
    if (row.state == LaneState::closed || left) orphans.push_back({id, row});
  }
  return orphans;
}

std::vector<LaneId> finishedLanes(Db1& db) {
  std::vector<LaneId> lanes;
  for (const auto& [id, row] : db.lanes.committed()) {
    if (row.state != LaneState::open) lanes.push_back(id);
  }
  return lanes;
}

LaneSeq lastSeq(Db1& db, LaneId lane) {
  const auto& tips = db.tips.committed();
  const auto end = tips.upper_bound(tipIdOf(lane, LaneSeq{kLaneSeqEnd - 1}));
  if (end == tips.begin()) return {};
  const auto last = std::prev(end)->first;
  return laneOf(last) == lane ? seqOf(last) : LaneSeq{};
}

LedgerTip ledgerTipOf(const NumberedTip& numbered) {
  const auto& tip = numbered.tip;
  return {numbered.id,      tip.anchor,       tip.viewer,         tip.amount,
          tip.anchorGender, tip.viewerGender, numbered.acceptedAt};
}

std::vector<LedgerTip> ledgerTips(Db1& db, LaneId lane, LaneSeq after, std::size_t limit) {
  std::vector<LedgerTip> tips;
  const auto& all = db.tips.committed();
  for (auto at = all.upper_bound(tipIdOf(lane, after));
       at != all.end() && laneOf(at->first) == lane && tips.size() < limit; ++at) {
    tips.push_back(ledgerTipOf(at->second.tip));
  }
  return tips;
}

std::int64_t moveCursor(Db2& db, const Txn& txn, const LedgerReceiver::MoveCursor& step,
                        bool guarded) {
  if (step.from == LaneSeq{1} && db.cursors.lock(txn, step.lane) == nullptr) {
    db.cursors.put(txn, step.lane, {});
  }
  const auto* row = db.cursors.lock(txn, step.lane);
  if (row == nullptr) return 0;
  if (guarded && row->last.value != step.from.value - 1) return 0;
  db.cursors.put(txn, step.lane, {step.to, row->amount + step.amount});
  return 1;
}

LaneSeq cursor(Db2& db, const Txn& txn, LaneId lane) {
  const auto* row = db.cursors.find(txn, lane);
  return row == nullptr ? LaneSeq{} : row->last;
}

finance::Terms readTerms(Db2& db, const Txn& txn, const std::vector<AnchorId>& anchors) {
  db.rateGuard.lock(txn, kGuard, true);
  finance::Terms terms;
  terms.now = txn.now;
  const auto ratesOf = [&](AnchorId anchor) {
    std::vector<finance::ShareRate> rates;
    for (const auto& [id, row] : db.rates.committed()) {
      if (row.anchor == anchor) rates.push_back(row.rate);
    }
    std::stable_sort(rates.begin(), rates.end(), [](const auto& a, const auto& b) {
      return a.effectiveFrom < b.effectiveFrom;
    });
    return rates;
  };
  terms.platformRates = ratesOf(kPlatform);
  for (const auto anchor : anchors) {
    auto rates = ratesOf(anchor);
    if (!rates.empty()) terms.anchorRates.push_back({anchor, std::move(rates)});
  }
  return terms;
}

void bookRows(Db2& db, const Txn& txn, const LedgerReceiver::Book& book, bool skipExisting) {
  for (const auto& row : book.rows) {
    if (skipExisting && db.ledger.lock(txn, row.tip.id) != nullptr) continue;
    db.ledger.insert(txn, row.tip.id, {row.tip, row.rate, row.anchorUnits});
  }
  for (const auto& sum : book.sums) {
    const HourKey key{sum.anchor, sum.hour, sum.rate};
    const auto* stands = db.hours.lock(txn, key);
    HourRow row = stands == nullptr ? HourRow{} : *stands;
    row.tips += sum.tips;
    row.amount += sum.amount;
    row.anchorUnits += sum.anchorUnits;
    db.hours.put(txn, key, row);
  }
}

void bookSums(Db2& db, const Txn& txn, LaneId lane, LaneSeq from, LaneSeq to,
              const LedgerReceiver::Book& book) {
  for (const auto& credit : book.credits) {
    const auto* stands = db.accounts.lock(txn, credit.anchor);
    AccountRow row = stands == nullptr ? AccountRow{} : *stands;
    row.settled += credit.units;
    db.accounts.put(txn, credit.anchor, row);
  }
  db.batches.insert(txn, {lane, to}, {from});
}

Time addRate(Db2& db, const Txn& txn, AnchorId anchor, BasisPoints rate, std::optional<Time> asked,
             bool withNotice) {
  db.rateGuard.lock(txn, kGuard);
  const auto from = finance::effectiveFrom(asked, txn.now);
  if (!from) return {};
  const Time start = withNotice ? *from : asked.value_or(txn.now);
  db.rates.insert(txn, ++db.lastRate, {anchor, {start, rate}});
  return start;
}

Withdrawal insertWithdrawal(Db2& db, const Txn& txn, const finance::WithdrawalRequest& request,
                            Time now, bool unique) {
  const Withdrawal made{WithdrawalId{++db.lastWithdrawal},
                        request.traceId,
                        request.anchor,
                        request.amount,
                        WithdrawalState::pending,
                        now};
  if (unique) {
    db.withdrawalOfTrace.insert(txn, request.traceId, made.id);
  } else {
    db.withdrawalOfTrace.put(txn, request.traceId, made.id);
  }
  db.withdrawals.insert(txn, made.id, made);
  return made;
}

bool reserve(Db2& db, const Txn& txn, AnchorId anchor, Fen amount) {
  const auto* stands = db.accounts.lock(txn, anchor);
  if (stands == nullptr) return false;
  const auto wanted = (stands->withdrawn + stands->reserved + amount).value * kUnitsPerFen;
  if (stands->settled.value < wanted) return false;
  AccountRow row = *stands;
  row.reserved += amount;
  db.accounts.put(txn, anchor, row);
  return true;
}

std::optional<Fen> available(Db2& db, const Txn& txn, AnchorId anchor) {
  const auto* row = db.accounts.find(txn, anchor);
  if (row == nullptr) return std::nullopt;
  return finance::available({row->settled, row->withdrawn, row->reserved});
}

void addReserved(Db2& db, const Txn& txn, AnchorId anchor, Fen amount) {
  AccountRow row = *db.accounts.lock(txn, anchor);
  row.reserved += amount;
  db.accounts.put(txn, anchor, row);
}

std::optional<Withdrawal> withdrawalByTrace(Db2& db, const Txn& txn, const TraceId& traceId) {
  const auto* id = db.withdrawalOfTrace.find(txn, traceId);
  if (id == nullptr) return std::nullopt;
  return *db.withdrawals.find(txn, *id);
}

Finished finishWithdrawal(Db2& db, const Txn& txn, WithdrawalId id, WithdrawalState state,
                          bool guarded) {
  const auto* stands = db.withdrawals.lock(txn, id);
  if (stands == nullptr) {
    throw BrokenInvariant("a withdrawal that was reserved is not there");
  }
  if (guarded && stands->state != WithdrawalState::pending) return {*stands, false};
  Withdrawal row = *stands;
  row.state = state;
  db.withdrawals.put(txn, id, row);
  return {row, true};
}

void moveReserved(Db2& db, const Txn& txn, const Withdrawal& withdrawal, bool guarded) {
  AccountRow row = *db.accounts.lock(txn, withdrawal.anchor);
  if (guarded && row.reserved < withdrawal.amount) {
    throw BrokenInvariant("an account holds less in reserve than was reserved");
  }
  row.reserved = row.reserved - withdrawal.amount;
  if (withdrawal.state == WithdrawalState::paid) row.withdrawn += withdrawal.amount;
  db.accounts.put(txn, withdrawal.anchor, row);
}

std::vector<Withdrawal> pending(Db2& db, const Txn&, Time before) {
  std::vector<Withdrawal> found;
  for (const auto& [id, row] : db.withdrawals.committed()) {
    if (row.state == WithdrawalState::pending && row.createdAt < before) found.push_back(row);
  }
  return found;
}

}  // namespace tipflow::sim::store
