// What other roles ask of finance: settle a batch, where a cursor stands, what became of a tip.
#pragma once

#include <drogon/utils/coroutine.h>

#include <memory>
#include <optional>

#include "base/ids.h"
#include "base/time.h"
#include "finance/ledger.h"

namespace tipflow::finance {

/// One caller's way to the ledger: blocking, used by one thread at a time.
/// Throws std::exception when finance cannot be reached; nothing is then known.
class LedgerChannel {
 public:
  virtual ~LedgerChannel() = default;
  virtual LaneSeq cursor(LaneId lane) = 0;
  virtual BatchAnswer apply(const LedgerBatch& batch) = 0;
};

/// What became of one tip.
struct Settlement {
  BasisPoints rate;
  Units anchorUnits;
  Units platformUnits;
  Time acceptedAt;
  std::optional<Time> committedAt;
  Time pushedAt;
  Time settledAt;
};

class FinanceClient {
 public:
  virtual ~FinanceClient() = default;
  virtual std::unique_ptr<LedgerChannel> openLedger() = 0;
  /// nullopt while the tip is not settled. Throws db::Error when finance is away.
  virtual drogon::Task<std::optional<Settlement>> settlement(TipId tip) = 0;
  /// The anchor's rate in force now. Throws db::Error when finance is away.
  virtual drogon::Task<BasisPoints> rateNow(AnchorId anchor) = 0;
};

}  // namespace tipflow::finance
