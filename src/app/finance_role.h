// The parts of the role finance, put together.
#pragma once

#include <memory>
#include <optional>

#include "app/clients.h"
#include "app/ground.h"
#include "finance/internal_routes.h"
#include "finance/payout_accounts.h"
#include "finance/provider.h"
#include "finance/service.h"
#include "platform/conditions.h"

namespace tipflow::app {

class FinanceRole {
 public:
  explicit FinanceRole(Ground& ground) : ground_(ground), client_(ground.db2, ground.metrics) {}

  void build(const Clients& clients);
  /// Writes down the platform's rate and makes the first data key where there are none. Needs the
  /// migrated database.
  void start();
  /// On the main loop, once it runs.
  void runJobs();

  [[nodiscard]] finance::FinanceClient& client() { return client_; }
  [[nodiscard]] finance::Service& service() { return *service_; }
  [[nodiscard]] std::optional<Time> newestKeyMadeAt() const {
    return ground_.keyring.newestKeyMadeAt();
  }

 private:
  Ground& ground_;
  finance::LocalFinance client_;
  std::unique_ptr<finance::SandboxProvider> provider_;
  std::unique_ptr<finance::Service> service_;
  std::unique_ptr<finance::PayoutAccounts> payoutAccounts_;
  finance::InternalRoutes internal_{client_};
};

}  // namespace tipflow::app
