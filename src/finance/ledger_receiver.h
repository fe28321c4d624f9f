// The ledger receiver: turns one batch of tips into one transaction on the books.
// A protocol core: it says which step comes next and decides by what the step brought; the driver
// runs the steps on one database transaction. Settlement's arithmetic is in rules.h.
#pragma once

#include <span>
#include <string>
#include <variant>
#include <vector>

#include "finance/ledger.h"
#include "finance/rules.h"

namespace tipflow::finance {

/// A tip as it stands in the ledger.
struct LedgerRow {
  LedgerTip tip;
  BasisPoints rate;
  Units anchorUnits;
};

/// What one batch adds to one anchor's account.
struct Credit {
  AnchorId anchor;
  Units units;
};

/// What one batch adds to the sums of one anchor, hour (UTC) and rate.
struct HourSum {
  AnchorId anchor;
  Time hour;
  BasisPoints rate;
  std::int64_t tips = 0;
  Fen amount;
  Units anchorUnits;
};

/// The share rates that matter for a batch: per anchor, ordered by effectiveFrom, the platform's
/// default included where it applies.
struct AnchorRates {
  AnchorId anchor;
  std::vector<ShareRate> rates;
};
struct Terms {
  Time now;  ///< DB2's clock, read in the transaction after the rates were locked against change
  std::vector<ShareRate> platformRates;
  std::vector<AnchorRates> anchorRates;
};

class LedgerReceiver {
 public:
  /// Begin the transaction; move the lane's cursor from `from - 1` to `to`, and add to its sums.
  /// The number of rows matched goes to `onCursor`.
  struct MoveCursor {
    LaneId lane;
    LaneSeq from;
    LaneSeq to;
    Fen amount;
  };
  /// Read where the cursor stands (0 when the lane has none), outside the transaction, which is
  /// rolled back first.
  struct ReadCursor {
    LaneId lane;
  };
  /// Lock the rates against change, then read the clock and the rates of these anchors.
  struct ReadTerms {
    std::vector<AnchorId> anchors;
  };
  /// Insert the rows, add the credits and sums (each ordered by anchor), note the batch, commit.
  struct Book {
    std::vector<LedgerRow> rows;
    std::vector<Credit> credits;
    std::vector<HourSum> sums;
    Time settledAt;
  };
  /// Roll back when a transaction is open, and answer.
  struct Done {
    BatchAnswer answer;
    std::string reason;
  };
  using Step = std::variant<MoveCursor, ReadCursor, ReadTerms, Book, Done>;

  /// `batch` must outlive it.
  explicit LedgerReceiver(const LedgerBatch& batch) : batch_(batch) {}
  explicit LedgerReceiver(LedgerBatch&& batch) = delete;

  /// The first step; Done with `failed` when the batch is not what it says it is.
  Step start() const;
  Step onCursorMoved(std::int64_t rowsMatched) const;
  Step onCursorRead(LaneSeq cursor) const;
  Step onTerms(const Terms& terms) const;
  Step onCommitted() const { return Done{{BatchStatus::applied, batch_.to}, {}}; }
  /// A step failed and certainly changed nothing (rolled back).
  Step onRolledBack(std::string reason) const {
    return Done{{BatchStatus::failed, {}}, std::move(reason)};
  }
  /// Whether the commit happened is not known.
  Step onUnknown(std::string reason) const {
    return Done{{BatchStatus::unknown, {}}, std::move(reason)};
  }

 private:
  const LedgerBatch& batch_;
};

}  // namespace tipflow::finance
