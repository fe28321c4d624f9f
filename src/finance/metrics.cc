#include "finance/metrics.h"

namespace tipflow::finance {
namespace {

prometheus::Counter& withdrawals(Metrics& metrics, const char* outcome) {
  return metrics.counter("tipflow_withdrawals_total", "Withdrawals, by what became of them.",
                         {{"outcome", outcome}});
}

}  // namespace

LedgerMetrics::LedgerMetrics(Metrics& metrics)
    : tips_(metrics.counter("tipflow_ledger_tips_total", "Tips settled.")),
      amount_(metrics.counter("tipflow_ledger_amount_fen_total", "Amount of the tips settled.")),
      seconds_(metrics.histogram("tipflow_ledger_apply_seconds",
                                 "Time of a batch's transaction on the books.", latencyBounds())) {
  constexpr std::array<const char*, 5> kWords{"applied", "conflict", "held_back", "failed",
                                              "unknown"};
  for (std::size_t i = 0; i < kWords.size(); ++i) {
    batches_[i] = &metrics.counter("tipflow_ledger_batches_total",
                                   "Batches of tips that came to finance, by outcome.",
                                   {{"outcome", kWords[i]}});
  }
}

void LedgerMetrics::count(const LedgerBatch& batch, BatchStatus status, Duration took) {
  batches_[static_cast<std::size_t>(status)]->Increment();
  seconds_.Observe(static_cast<double>(took.count()) / static_cast<double>(kUsPerSecond));
  if (status != BatchStatus::applied) return;
  Fen amount;
  for (const auto& tip : batch.tips) amount += tip.amount;
  tips_.Increment(static_cast<double>(batch.tips.size()));
  amount_.Increment(static_cast<double>(amount.value));
}

WithdrawalMetrics::WithdrawalMetrics(Metrics& metrics)
    : reserved_(withdrawals(metrics, "reserved")),
      insufficient_(withdrawals(metrics, "insufficient_balance")),
      paid_(withdrawals(metrics, "paid")),
      rejected_(withdrawals(metrics, "rejected")) {}

void WithdrawalMetrics::finished(WithdrawalState state) {
  switch (state) {
    case WithdrawalState::pending:
      return;
    case WithdrawalState::paid:
      return paid_.Increment();
    case WithdrawalState::rejected:
      return rejected_.Increment();
  }
}

}  // namespace tipflow::finance
