// The finance role's use cases: rates, balances, withdrawals, statement, reconciliation; and what
// other roles ask of it.
#pragma once

#include <thread>

#include "analysis/client.h"
#include "anchor/client.h"
#include "audience/client.h"
#include "finance/client.h"
#include "finance/metrics.h"
#include "finance/provider.h"
#include "finance/store.h"
#include "platform/business_time.h"
#include "platform/http/call.h"

namespace tipflow::finance {

/// FinanceClient for roles of the same node.
class LocalFinance final : public FinanceClient {
 public:
  LocalFinance(db::Database& db2, Metrics& metrics) : db2_(db2), metrics_(metrics) {}
  std::unique_ptr<LedgerChannel> openLedger() override;
  drogon::Task<std::optional<Settlement>> settlement(TipId tip) override;
  drogon::Task<BasisPoints> rateNow(AnchorId anchor) override;

 private:
  db::Database& db2_;
  LedgerMetrics metrics_;
};

class Service {
 public:
  /// `anchors` and `audience` may be null: those roles are away.
  Service(db::Database& db2, const Clock& clock, PaymentProvider& provider,
          const BusinessTime& businessTime, Duration providerTimeout, anchor::AnchorClient* anchors,
          audience::AudienceClient* audience, Metrics& metrics)
      : db2_(db2),
        clock_(clock),
        provider_(provider),
        businessTime_(businessTime),
        providerTimeout_(providerTimeout),
        anchors_(anchors),
        audience_(audience),
        metrics_(metrics) {}

  drogon::Task<Result<Balance>> balance(AnchorId anchor);
  drogon::Task<Result<NewShareRate>> setRate(AnchorId anchor, SetShareRate request, std::string by);
  drogon::Task<Result<http::Page<ShownShareRate>>> rates(AnchorId anchor,
                                                         std::optional<store::RatePlace> after,
                                                         int limit);
  drogon::Task<Result<ShownWithdrawal>> withdraw(AnchorId anchor, RequestWithdrawal request);
  drogon::Task<Result<http::Page<ShownWithdrawal>>> withdrawals(AnchorId anchor,
                                                                std::int64_t before, int limit);
  drogon::Task<Result<Withdrawal>> withdrawal(TraceId traceId);
  drogon::Task<Result<Statement>> statement(AnchorId anchor, std::optional<Time> from,
                                            std::optional<Time> to);
  drogon::Task<Result<Reconciliation>> reconcile();
  /// False: the role audience is nowhere, `reconcile` is refused.
  [[nodiscard]] bool canReconcile() const { return audience_ != nullptr; }
  /// Before it is used. Without it, and while it is away, reconciliation says nothing of I12.
  void checkAnalysisBy(analysis::AnalysisClient* analysis) { analysis_ = analysis; }

  /// Asks the provider about withdrawals that stay pending; how many it finished.
  drogon::Task<int> finishPending();
  /// What the provider has not decided yet.
  drogon::Task<store::PendingSum> pending();

 private:
  drogon::Task<std::optional<Rejection>> whyNotAnchor(AnchorId anchor);
  drogon::Task<Result<ShownWithdrawal>> carryOut(WithdrawalRequest asked, bool& mayBeReserved);
  drogon::Task<Withdrawal> finish(Withdrawal withdrawal, WithdrawalState state);
  drogon::Task<Withdrawal> awaitOther(Withdrawal withdrawal);
  drogon::Task<std::optional<std::int64_t>> analysisDisagreement();

  db::Database& db2_;
  const Clock& clock_;
  PaymentProvider& provider_;
  const BusinessTime& businessTime_;
  Duration providerTimeout_;
  anchor::AnchorClient* anchors_;
  audience::AudienceClient* audience_;
  analysis::AnalysisClient* analysis_ = nullptr;
  WithdrawalMetrics metrics_;
};

}  // namespace tipflow::finance
