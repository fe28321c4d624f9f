// The parts of the role console, put together: operators, alerts, settings.
#pragma once

#include <string>

#include "app/alerting.h"
#include "app/clients.h"
#include "app/cluster_views.h"
#include "app/ground.h"
#include "console/internal_routes.h"
#include "console/operators.h"

namespace tipflow::app {

class ConsoleRole {
 public:
  explicit ConsoleRole(Ground& ground)
      : ground_(ground),
        operators_(ground.db2),
        alerting_(ground.config, ground.db2, ground.clock, ground.metrics, ground.router),
        views_(ground, ground.replicas, ground.peers.connections(), ground.peers.signer(),
               [&peers = ground.peers] { return peers.states(); }),
        internal_(ground.db2, ground.clock, alerting_.sink()) {}

  void build(Accounts& accounts) {
    internal_.addTo(ground_.router);
    accounts[PrincipalKind::operator_] = &operators_;
  }
  /// Makes the first admin where there is none; returns its password when it was generated now.
  std::string start();

  [[nodiscard]] console::Operators& operators() { return operators_; }
  [[nodiscard]] Alerting& alerting() { return alerting_; }

 private:
  Ground& ground_;
  console::Operators operators_;
  Alerting alerting_;
  ClusterViews views_;
  console::InternalRoutes internal_;
};

}  // namespace tipflow::app
