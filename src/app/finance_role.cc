#include "app/finance_role.h"

#include "app/periodic.h"
#include "finance/routes.h"

namespace tipflow::app {
namespace {

constexpr Duration kFinishLease{10 * kUsPerSecond};
constexpr Duration kFinishEvery{1 * kUsPerSecond};
constexpr Duration kResealEvery{2 * kUsPerSecond};

}  // namespace

void FinanceRole::build(const Clients& clients) {
  auto& g = ground_;
  const Duration timeout{g.config.providerTimeoutMs * kUsPerMs};
  provider_ = std::make_unique<finance::SandboxProvider>(
      g.db2, g.clock,
      fromWord<finance::SandboxMode>(g.config.sandboxMode).value_or(finance::SandboxMode::pay),
      timeout);
  service_ = std::make_unique<finance::Service>(g.db2, g.clock, *provider_, g.businessTime, timeout,
                                                clients.anchors, clients.audience, g.metrics);
  service_->checkAnalysisBy(clients.analysis);
  payoutAccounts_ =
      std::make_unique<finance::PayoutAccounts>(g.db2, g.clock, g.keyring, clients.anchors);
  finance::addRoutes(g.router, *service_, *payoutAccounts_, *provider_);
  internal_.addTo(g.router);
}

void FinanceRole::start() {
  auto& g = ground_;
  const auto connection = g.db2.connect();
  finance::store::seed(*connection,
                       BasisPoints{static_cast<std::int32_t>(g.config.defaultShareBp)});
  g.keys.data.makeIfAbsent(g.clock.now());
  (void)g.keys.data.keys();  // ends the start when they cannot be used
  finance::store::seedPayoutAccounts(*connection);
  payoutAccounts_->reportMissingKeys(*connection);
}

void FinanceRole::runJobs() {
  auto& g = ground_;
  runPeriodically(g.jobs, {"finish_withdrawals", "finance", kFinishEvery,
                           [this]() -> drogon::Task<> { co_await service_->finishPending(); },
                           [this] {
                             return ground_.lock.acquire("finance.finish-pending", ground_.process,
                                                         kFinishLease);
                           }});
  runPeriodically(g.jobs, {"reseal_payout_accounts", "finance", kResealEvery,
                           [this]() -> drogon::Task<> { co_await payoutAccounts_->resealSome(); }});
}

}  // namespace tipflow::app
