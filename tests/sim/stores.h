// What the product's stores do in SQL, over the modelled tables: audience/tip_store.cc and
// finance/store.cc, statement by statement. Each function is one statement, run on the server.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "finance/ledger_receiver.h"
#include "finance/rules.h"
#include "mutants.h"
#include "tables.h"

namespace tipflow::sim::store {

// DB1 -----------------------------------------------------------------------------------------
/// Throws db::DuplicateKey when any of them is there already.
void insertTips(Db1& db, const Txn& txn, const std::vector<NumberedTip>& tips);
/// Planted: rows that are there already are left out without a word.
void insertNewTips(Db1& db, const Txn& txn, const std::vector<NumberedTip>& tips);
std::vector<NumberedTip> tipsByTrace(Db1& db, const Txn& txn, const std::vector<TraceId>& traceIds);
bool tipExists(Db1& db, const Txn& txn, TipId id);
LaneId openLane(Db1& db, const Txn& txn, const LaneRow& lane);
void renewLanes(Db1& db, const Txn& txn, const std::string& process, Duration lease);
void setLaneState(Db1& db, const Txn& txn, LaneId lane, LaneState state);
struct Orphan {
  LaneId id;
  LaneRow row;
};
std::vector<Orphan> orphanedLanes(Db1& db, const Txn& txn, const std::string& node,
                                  const std::string& process);
std::vector<LaneId> finishedLanes(Db1& db);
LaneSeq lastSeq(Db1& db, LaneId lane);
std::vector<finance::LedgerTip> ledgerTips(Db1& db, LaneId lane, LaneSeq after, std::size_t limit);
finance::LedgerTip ledgerTipOf(const NumberedTip& tip);

// DB2 -----------------------------------------------------------------------------------------
/// Rows matched.
std::int64_t moveCursor(Db2& db, const Txn& txn, const finance::LedgerReceiver::MoveCursor& step,
                        bool guarded);
LaneSeq cursor(Db2& db, const Txn& txn, LaneId lane);
finance::Terms readTerms(Db2& db, const Txn& txn, const std::vector<AnchorId>& anchors);
void bookRows(Db2& db, const Txn& txn, const finance::LedgerReceiver::Book& book,
              bool skipExisting);
void bookSums(Db2& db, const Txn& txn, LaneId lane, LaneSeq from, LaneSeq to,
              const finance::LedgerReceiver::Book& book);
Time addRate(Db2& db, const Txn& txn, AnchorId anchor, BasisPoints rate, std::optional<Time> asked,
             bool withNotice);
finance::Withdrawal insertWithdrawal(Db2& db, const Txn& txn,
                                     const finance::WithdrawalRequest& request, Time now,
                                     bool unique);
/// False when that much is not available.
bool reserve(Db2& db, const Txn& txn, AnchorId anchor, Fen amount);
std::optional<Fen> available(Db2& db, const Txn& txn, AnchorId anchor);
void addReserved(Db2& db, const Txn& txn, AnchorId anchor, Fen amount);
std::optional<finance::Withdrawal> withdrawalByTrace(Db2& db, const Txn& txn,
                                                     const TraceId& traceId);
struct Finished {
  finance::Withdrawal withdrawal;
  bool changed = false;
};
Finished finishWithdrawal(Db2& db, const Txn& txn, WithdrawalId id, finance::WithdrawalState state,
                          bool guarded);
void moveReserved(Db2& db, const Txn& txn, const finance::Withdrawal& withdrawal, bool guarded);
std::vector<finance::Withdrawal> pending(Db2& db, const Txn& txn, Time before);

}  // namespace tipflow::sim::store
