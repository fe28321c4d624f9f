// The finance role's tables in DB2: SQL in, model types out.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "finance/client.h"
#include "finance/ledger_receiver.h"
#include "finance/model.h"
#include "platform/db/connection.h"

namespace tipflow::finance::store {

// The books: the steps of LedgerReceiver ------------------------------------------------------
/// Moves the cursor; the number of rows matched.
std::int64_t moveCursor(db::Connection& connection, const LedgerReceiver::MoveCursor& step);
LaneSeq cursor(db::Connection& connection, LaneId lane);
/// Holds the rates against change until the transaction ends, then reads them and DB2's clock.
Terms readTerms(db::Connection& connection, const std::vector<AnchorId>& anchors);
void book(db::Connection& connection, const LedgerBatch& batch, const LedgerReceiver::Book& book);
std::optional<Settlement> settlement(db::Connection& connection, TipId tip);

// Rates ---------------------------------------------------------------------------------------
/// Makes the guard, and writes the platform's rate down if there is none.
void seed(db::Connection& connection, BasisPoints platformRate);
/// In a transaction: holds the rates alone, reads DB2's clock, decides when the rate starts.
Result<NewShareRate> addRate(db::Connection& connection, AnchorId anchor, BasisPoints rate,
                             std::optional<Time> asked, const std::string& by);
struct RatePlace {
  Time effectiveFrom;
  std::int64_t id = 0;
};
struct StoredRate {
  ShownShareRate rate;
  RatePlace place;
};
/// Newest start first; the platform's own rate is the last.
std::vector<StoredRate> rates(db::Connection& connection, AnchorId anchor,
                              std::optional<RatePlace> after, int limit);
BasisPoints rateNow(db::Connection& connection, AnchorId anchor, Time now);

// Accounts and withdrawals ----------------------------------------------------------------------
std::optional<Account> account(db::Connection& connection, AnchorId anchor);
/// The account does not hold that much: the transaction must be rolled back.
struct InsufficientBalance {};
/// In a transaction: inserts the withdrawal as pending and reserves its amount. Throws
/// db::DuplicateKey when the traceId is taken, InsufficientBalance.
Withdrawal reserve(db::Connection& connection, const WithdrawalRequest& request, Time now);
std::optional<Withdrawal> withdrawalByTrace(db::Connection& connection, const TraceId& traceId);
/// In a transaction: from pending to `state`; the withdrawal as it stands after (a final state
/// stays).
/// `changed`, where given, says whether it was this call that did it.
Withdrawal finish(db::Connection& connection, WithdrawalId id, WithdrawalState state, Time now,
                  bool* changed = nullptr);
std::vector<Withdrawal> withdrawals(db::Connection& connection, AnchorId anchor,
                                    std::int64_t before, int limit);
/// Withdrawals that are pending and older than `before`.
std::vector<Withdrawal> pending(db::Connection& connection, Time before, int limit);
struct PendingSum {
  std::int64_t count = 0;
  std::optional<Time> oldest;  ///< when the oldest was asked for
};
PendingSum pendingSum(db::Connection& connection);

// Reports ---------------------------------------------------------------------------------------
struct HourRow {
  Time hour;
  BasisPoints rate;
  StatementTotal sum;
};
std::vector<HourRow> hours(db::Connection& connection, AnchorId anchor, Time from, Time to);

/// The books' side of a reconciliation, read in one snapshot.
struct Books {
  struct Lane {
    LaneSeq cursor;
    Sum ledger;
    Units anchorUnits;
  };
  struct Seal {
    LaneId lane;
    LaneSeq seq;
    Sum sum;
    Units anchorUnits;
  };
  std::map<LaneId, Lane> lanes;
  std::vector<Seal> advance;        ///< seals to keep
  std::int64_t cursorMismatch = 0;  ///< lanes whose cursor, sums and rows disagree (I5)
  Units ledgerUnits;                ///< over all ledger rows
  Units hourUnits;                  ///< over all hourly sums
  Units accountUnits;               ///< over all accounts
  std::int64_t badSplits = 0;       ///< hourly sums whose parts are not amount * rate (I6, I7)
  std::int64_t badAccounts = 0;     ///< accounts that owe more than they hold (I9)
  std::int64_t badWithdrawals = 0;  ///< accounts that disagree with their withdrawals (I10)
};
Books books(db::Connection& connection);
void keepSeals(db::Connection& connection, const std::vector<Books::Seal>& seals);

}  // namespace tipflow::finance::store
