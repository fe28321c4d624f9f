#include "console/alerts.h"

#include "platform/log.h"

namespace tipflow::console {
namespace {

const char* explained(AlertChanges::Why why) {
  switch (why) {
    case AlertChanges::Why::ended:
      return "";
    case AlertChanges::Why::unwatched:
      return "; its node watches for it no more";
    case AlertChanges::Why::gone:
      return "; its node reports no more";
  }
  throw std::logic_error("an alert that is over for no reason");
}

prometheus::Gauge& openGauge(Metrics& metrics, Severity severity) {
  return metrics.gauge("tipflow_alerts_open", "Alerts that are not resolved, on all nodes.",
                       {{"severity", std::string(word(severity))}});
}

}  // namespace

Alerts::Alerts(db::Database& db2, const Clock& clock, Duration gone, Tell tell, Metrics& metrics)
    : db2_(db2),
      clock_(clock),
      tell_(std::move(tell)),
      attention_(gone),
      openWarnings_(openGauge(metrics, Severity::warning)),
      openCritical_(openGauge(metrics, Severity::critical)) {
  for (const auto& [name, state] : EnumWords<AlertState>::values) {
    events_[static_cast<std::size_t>(state)] = &metrics.counter(
        "tipflow_alert_events_total", "Alerts raised, acknowledged and resolved by this node.",
        {{"event", std::string(name)}});
  }
}

drogon::Task<> Alerts::take(ConditionReport report) {
  const auto open =
      co_await db2_.read([](db::Connection& connection) { return store::openAlerts(connection); });
  countOpen(open);
  auto changes = changesOf(report, open, attend());
  if (changes.note) {
    std::string node = report.node;
    co_await note(std::move(node));
  }
  for (auto& condition : changes.raise) {
    std::string node = report.node;
    co_await raise(std::move(node), std::move(condition));
  }
  for (const auto& [alert, at, why] : changes.resolve) {
    std::string more = explained(why);
    co_await resolve(alert, at, std::move(more));
  }
}

Attention::Bounds Alerts::attend() {
  const std::lock_guard lock(mutex_);
  return attention_.taken(clock_.now());
}

drogon::Task<> Alerts::note(std::string node) {
  const Time now = clock_.now();
  co_await db2_.write([&](db::Connection& connection) {
    store::heard(connection, node, now);
    return true;
  });
}

drogon::Task<> Alerts::raise(std::string node, Condition condition) {
  const auto raised = co_await db2_.write([&](db::Connection& connection) -> std::optional<Alert> {
    const auto id = store::raise(connection, node, condition);
    return id ? store::alert(connection, *id) : std::nullopt;
  });
  if (raised) tell(AlertState::raised, *raised);
}

drogon::Task<> Alerts::resolve(std::int64_t alert, Time at, std::string more) {
  const auto resolved =
      co_await db2_.write([&](db::Connection& connection) -> std::optional<Alert> {
        const bool now = store::resolve(connection, alert, at, more);
        return now ? store::alert(connection, alert) : std::nullopt;
      });
  if (resolved) tell(AlertState::resolved, *resolved);
}

drogon::Task<http::Page<Alert>> Alerts::list(store::AlertFilter filter, std::int64_t before,
                                             int limit) {
  http::Page<Alert> page;
  page.items = co_await db2_.read([&](db::Connection& connection) {
    return store::alerts(connection, filter, before, limit + 1);
  });
  if (static_cast<int>(page.items.size()) > limit) {
    page.items.resize(static_cast<std::size_t>(limit));
    page.nextPageToken = http::makePageToken({page.items.back().id});
  }
  co_return page;
}

drogon::Task<Result<Alert>> Alerts::acknowledge(std::int64_t id, std::int64_t by) {
  const Time now = clock_.now();
  bool changed = false;
  const auto found = co_await db2_.write([&](db::Connection& connection) {
    changed = store::acknowledge(connection, id, by, now);
    return store::alert(connection, id);
  });
  if (!found) co_return ErrorCode::alert_not_found;
  if (found->state == AlertState::resolved) co_return ErrorCode::alert_resolved;
  if (changed) tell(AlertState::acknowledged, *found);
  co_return *found;
}

void Alerts::tell(AlertState event, const Alert& alert) {
  events_[static_cast<std::size_t>(event)]->Increment();
  const auto level = event == AlertState::raised ? log::Level::warn : log::Level::info;
  const std::string message = "alert " + std::string(word(event));
  log::line(level, "console", {}, message, log::field("alert", alert.id),
            log::field("rule", alert.rule), log::field("subject", alert.subject),
            log::field("severity", word(alert.severity)), log::field("detail", alert.detail));
  if (tell_) tell_(json::toText(AlertNews{event, alert}));
}

void Alerts::countOpen(const std::vector<store::OpenAlert>& open) {
  const auto critical = std::ranges::count_if(
      open, [](const store::OpenAlert& alert) { return alert.severity == Severity::critical; });
  openCritical_.Set(static_cast<double>(critical));
  openWarnings_.Set(static_cast<double>(open.size()) - static_cast<double>(critical));
}

}  // namespace tipflow::console
