// What finance counts: batches on their way into the books, withdrawals.
#pragma once

#include <array>

#include "finance/ledger.h"
#include "finance/withdrawal.h"
#include "platform/metrics.h"

namespace tipflow::finance {

class LedgerMetrics {
 public:
  explicit LedgerMetrics(Metrics& metrics);
  void count(const LedgerBatch& batch, BatchStatus status, Duration took);

 private:
  std::array<prometheus::Counter*, 5> batches_{};  // by BatchStatus
  prometheus::Counter& tips_;
  prometheus::Counter& amount_;
  prometheus::Histogram& seconds_;
};

class WithdrawalMetrics {
 public:
  explicit WithdrawalMetrics(Metrics& metrics);
  void reserved() { reserved_.Increment(); }
  void insufficient() { insufficient_.Increment(); }
  /// It got into this state now; pending is none.
  void finished(WithdrawalState state);

 private:
  prometheus::Counter& reserved_;
  prometheus::Counter& insufficient_;
  prometheus::Counter& paid_;
  prometheus::Counter& rejected_;
};

}  // namespace tipflow::finance
