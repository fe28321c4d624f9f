// Runs LedgerReceiver's steps on a DB2 connection of its own. All decisions are in
// ledger_receiver.h.
#pragma once

#include <memory>

#include "finance/client.h"
#include "finance/metrics.h"
#include "platform/db/database.h"

namespace tipflow::finance {

class LedgerDriver final : public LedgerChannel {
 public:
  /// `metrics` may be null: nothing is counted.
  explicit LedgerDriver(const db::Database& db2, LedgerMetrics* metrics = nullptr)
      : db2_(db2), metrics_(metrics) {}

  LaneSeq cursor(LaneId lane) override;
  BatchAnswer apply(const LedgerBatch& batch) override;

 private:
  db::Connection& connection();

  const db::Database& db2_;
  LedgerMetrics* metrics_;
  std::unique_ptr<db::Connection> connection_;
};

}  // namespace tipflow::finance
