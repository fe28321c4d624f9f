// Alerts: keeps what nodes report as wrong, shows it to operators, tells the webhook.
#pragma once

#include <functional>
#include <mutex>

#include "console/alert_rules.h"
#include "platform/db/database.h"
#include "platform/http/call.h"
#include "platform/metrics.h"

namespace tipflow::console {

class Alerts final : public ConditionSink {
 public:
  /// Is given `AlertNews` as JSON; must return at once.
  using Tell = std::function<void(std::string)>;

  /// `gone`: how long a node that is gone has been silent.
  Alerts(db::Database& db2, const Clock& clock, Duration gone, Tell tell, Metrics& metrics);

  drogon::Task<> take(ConditionReport report) override;

  drogon::Task<http::Page<Alert>> list(store::AlertFilter filter, std::int64_t before, int limit);
  /// Again by anybody: as it is. Refused once the alert is resolved.
  drogon::Task<Result<Alert>> acknowledge(std::int64_t id, std::int64_t by);

 private:
  Attention::Bounds attend();
  drogon::Task<> note(std::string node);
  drogon::Task<> raise(std::string node, Condition condition);
  drogon::Task<> resolve(std::int64_t alert, Time at, std::string more);
  void tell(AlertState event, const Alert& alert);
  void countOpen(const std::vector<store::OpenAlert>& open);

  db::Database& db2_;
  const Clock& clock_;
  Tell tell_;
  std::mutex mutex_;
  Attention attention_;
  std::array<prometheus::Counter*, 3> events_{};  // by AlertState
  prometheus::Gauge& openWarnings_;
  prometheus::Gauge& openCritical_;
};

}  // namespace tipflow::console
