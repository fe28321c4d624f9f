// The auditor: recomputes the books from the tips and compares them, row by row and sum by sum.
// It shares types but no rule, no SQL and no arithmetic with the code it checks. Pure: rows come in
// through `add…`, findings go out.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/trace_id.h"

namespace tipflow::audit {

/// A row of `tip` (DB1).
struct TipRow {
  std::int64_t tipId, anchorId, viewerId, amount, acceptedAt;
  int anchorGender, viewerGender;
};
/// A row of `ledger` (DB2).
struct LedgerRow {
  TipRow tip;
  std::int64_t shareBp, anchorUnits;
};
struct RateRow {
  std::int64_t anchorId, effectiveFrom, shareBp;
};
struct AccountRow {
  std::int64_t anchorId, settledUnits, withdrawnFen, reservedFen;
};
struct HourRow {
  std::int64_t anchorId, hour, shareBp, tips, amount, anchorUnits;
};
struct WithdrawalRow {
  std::int64_t id, anchorId, amount;
  int state;
  TraceId traceId;
};
/// A row of `ledger_batch`: the tips of a lane that one transaction settled.
struct BatchRow {
  std::int64_t lane, fromSeq, toSeq;
};
struct PayoutRow {
  std::int64_t withdrawalId, amount;
  bool paid;
};

/// How one invariant of money.md fared.
struct Finding {
  std::string id;
  std::string says;     ///< the invariant, in a line
  std::string figures;  ///< what was compared
  std::int64_t faults = 0;
  std::vector<std::string> examples;  ///< the first few faults
};

class Books {
 public:
  /// Rates in the order they were set down; anchor 0 is the platform.
  void addRate(const RateRow& row);
  void addCursor(std::int64_t lane, std::int64_t lastSeq, std::int64_t amount);
  /// Each lane's in order of their numbers.
  void addBatch(const BatchRow& row);
  /// Tips and ledger rows each in order of tip id; `addPair` of one id when both have it.
  void addPair(const TipRow& tip, const LedgerRow& ledger);
  void addTipOnly(const TipRow& tip);
  void addLedgerOnly(const LedgerRow& ledger);
  void addAccount(const AccountRow& row);
  void addHour(const HourRow& row);
  void addWithdrawal(const WithdrawalRow& row);
  void addPayout(const PayoutRow& row);

  /// After the last row.
  std::vector<Finding> findings();

 private:
  // Sums may pass 63 bits only if the books are wrong: an auditor must not trip over that.
  using Wide = __int128;
  struct Faults {
    std::int64_t count = 0;
    std::vector<std::string> examples;
    void add(std::string example);
  };
  /// Count, sum and sum of hashes of the rows up to a lane's cursor.
  struct Total {
    std::int64_t count = 0;
    Wide amount = 0;
    std::uint64_t hashes = 0;
    void add(const TipRow& row);
    friend bool operator==(const Total&, const Total&) = default;
  };
  struct Lane {
    std::int64_t cursor = 0;
    std::int64_t cursorAmount = 0;
    Total given, settled;
    bool rowsDiffer = false;
    std::int64_t lastBatchEnd = 0;
    std::int64_t lastTipSeq = 0;
    std::int64_t lastLedgerSeq = 0;
    Wide ledgerAmount = 0;
    std::int64_t lastAcceptedAt = 0;
  };
  struct HourSum {
    std::int64_t tips = 0;
    Wide amount = 0;
    Wide units = 0;
  };

  void checkLane(std::int64_t id, const Lane& lane);
  void seeTip(const TipRow& tip);
  void seeLedger(const LedgerRow& row);
  [[nodiscard]] std::int64_t rateFor(std::int64_t anchor, std::int64_t at) const;

  std::map<std::int64_t, std::vector<RateRow>> rates_;
  std::map<std::int64_t, Lane> lanes_;
  std::int64_t tips_ = 0, ledgerRows_ = 0, inFlight_ = 0;
  Wide tipAmount_ = 0, ledgerAmount_ = 0, inFlightAmount_ = 0, anchorUnits_ = 0;
  std::map<std::int64_t, Wide> unitsOfAnchor_;  // by the ledger's rows
  std::map<std::int64_t, Wide> owedToAnchor_;   // by tips and rates, computed here
  std::map<std::array<std::int64_t, 3>, HourSum> hours_;
  std::map<std::int64_t, AccountRow> accounts_;
  std::map<std::int64_t, Wide> paidOf_, pendingOf_;
  std::map<std::int64_t, WithdrawalRow> withdrawals_;
  std::set<TraceId> withdrawalTraceIds_;
  std::map<std::int64_t, PayoutRow> payouts_;
  Faults i4_, i5_, i6_, i7_, i8_, i9_, i10_;
};

}  // namespace tipflow::audit
