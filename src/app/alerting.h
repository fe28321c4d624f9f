// The console role's parts for alerts and run-time settings, put together.
#pragma once

#include <memory>

#include "console/alert_routes.h"
#include "console/webhook.h"

namespace tipflow::app {

class Alerting {
 public:
  /// Adds the routes. Throws ConfigError for a webhook that cannot be used.
  Alerting(const Config& config, db::Database& db2, const Clock& clock, Metrics& metrics,
           http::Router& router);

  [[nodiscard]] ConditionSink& sink() { return alerts_; }
  /// The node is about to leave: the webhook is told nothing more.
  void leave() {
    if (webhook_) webhook_->leave();
  }

 private:
  std::unique_ptr<console::Webhook> webhook_;
  console::Alerts alerts_;
  console::Settings settings_;
};

}  // namespace tipflow::app
