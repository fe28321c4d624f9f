// The rows of both databases, as far as the protocols need them (sql/db1, sql/db2).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <tuple>

#include "audience/tip.h"
#include "database.h"
#include "finance/ledger.h"
#include "finance/withdrawal.h"
#include "platform/schedule/lease.h"

namespace tipflow::sim {

using audience::NumberedTip;

enum class LaneState { open = 1, closed = 2, settled = 3 };
struct LaneRow {
  std::string node;
  std::string process;
  std::int64_t connectionId = 0;
  LaneState state = LaneState::open;
  Time leaseUntil;
};
struct TipRow {
  NumberedTip tip;
  std::int64_t autoId = 0;  ///< as AUTO_INCREMENT gives it: in order of insertion, not of commit
};

/// DB1: viewers' tips and the lanes they were written in.
struct Db1 {
  Db1(Scheduler& scheduler, std::uint64_t seed, Coverage& coverage)
      : server(scheduler, "DB1", seed, coverage) {
    server.addTable(lanes);
    server.addTable(tips);
    server.addTable(tipOfTrace);
  }
  Server server;
  Table<LaneId, LaneRow> lanes;
  Table<TipId, TipRow> tips;
  Table<TraceId, TipId> tipOfTrace;
  // Counters of AUTO_INCREMENT: never rolled back.
  std::int64_t lastLane = 0;
  std::int64_t lastTip = 0;
};

struct CursorRow {
  LaneSeq last;
  Fen amount;
};
struct BookedTip {
  finance::LedgerTip tip;
  BasisPoints rate;
  Units anchorUnits;
};
struct RateRow {
  AnchorId anchor;
  finance::ShareRate rate;
};
struct AccountRow {
  Units settled;
  Fen withdrawn;
  Fen reserved;
};
struct HourRow {
  std::int64_t tips = 0;
  Fen amount;
  Units anchorUnits;
};
struct BatchRow {
  LaneSeq from;
};
/// What a job did under a lease: the epoch under which it was written.
struct JobRow {
  std::string holder;
  schedule::Epoch epoch = 0;
  std::int64_t runs = 0;
};

using HourKey = std::tuple<AnchorId, Time, BasisPoints>;
using BatchKey = std::pair<LaneId, LaneSeq>;

/// DB2: the books.
struct Db2 {
  Db2(Scheduler& scheduler, std::uint64_t seed, Coverage& coverage)
      : server(scheduler, "DB2", seed, coverage) {
    for (TableBase* table : std::initializer_list<TableBase*>{
             &cursors, &ledger, &rates, &rateGuard, &accounts, &hours, &batches, &withdrawals,
             &withdrawalOfTrace, &leases, &jobs}) {
      server.addTable(*table);
    }
  }
  Server server;
  Table<LaneId, CursorRow> cursors;
  Table<TipId, BookedTip> ledger;
  Table<std::int64_t, RateRow> rates;
  Table<int, int> rateGuard;
  Table<AnchorId, AccountRow> accounts;
  Table<HourKey, HourRow> hours;
  Table<BatchKey, BatchRow> batches;
  Table<WithdrawalId, finance::Withdrawal> withdrawals;
  Table<TraceId, WithdrawalId> withdrawalOfTrace;
  Table<std::string, schedule::LeaseRow> leases;
  Table<std::string, JobRow> jobs;
  std::int64_t lastRate = 0;
  std::int64_t lastWithdrawal = 0;
};

}  // namespace tipflow::sim
