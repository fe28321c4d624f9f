// The payment provider: the one part we cannot have for real. The sandbox behaves as a provider
// does, keeps its own memory in DB2, and can be told to misbehave.
#pragma once

#include <drogon/utils/coroutine.h>

#include <atomic>

#include "finance/model.h"
#include "platform/db/database.h"

namespace tipflow::finance {

class PaymentProvider {
 public:
  virtual ~PaymentProvider() = default;
  /// Pays `amount` under the withdrawal's id as key: asked again it says what became of the first.
  /// `unknown`: no answer within the time-out.
  virtual drogon::Task<PayoutResult> pay(WithdrawalId key, Fen amount) = 0;
};

class SandboxProvider final : public PaymentProvider {
 public:
  SandboxProvider(db::Database& db2, const Clock& clock, SandboxMode mode, Duration timeout)
      : db2_(db2), clock_(clock), mode_(mode), timeout_(timeout) {}

  drogon::Task<PayoutResult> pay(WithdrawalId key, Fen amount) override;

  [[nodiscard]] SandboxMode mode() const { return mode_.load(); }
  void setMode(SandboxMode mode) { mode_ = mode; }

 private:
  /// Writes the payout down unless there is one; whether the one that stands was paid.
  drogon::Task<bool> remember(WithdrawalId key, Fen amount, bool paid);
  drogon::Task<std::optional<bool>> remembered(WithdrawalId key);
  drogon::Task<> keepSilent() const;

  db::Database& db2_;
  const Clock& clock_;
  std::atomic<SandboxMode> mode_;
  Duration timeout_;
};

}  // namespace tipflow::finance
