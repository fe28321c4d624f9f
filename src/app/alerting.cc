#include "app/alerting.h"

namespace tipflow::app {
namespace {

std::unique_ptr<console::Webhook> webhookOf(const Config& config, const Clock& clock,
                                            Metrics& metrics) {
  if (config.alertWebhookUrl.empty()) return nullptr;
  try {
    const auto poster = std::make_shared<http::Poster>(config.alertWebhookUrl);
    return std::make_unique<console::Webhook>(
        [poster](http::Poster::Body body) { poster->post(std::move(body)); },
        config.alertWebhookSecret, console::WebhookLimits{}, clock, metrics);
  } catch (const std::invalid_argument& wrong) {
    throw ConfigError(std::string("alerts.webhook_url: ") + wrong.what());
  }
}

// Five looks at the least: a node that looks seldom reports seldom.
Duration goneAfter(const Config& config) {
  return Duration{std::max(config.alertGoneSeconds, 5 * config.alertLookSeconds) * kUsPerSecond};
}

console::Alerts::Tell tellerOf(console::Webhook* webhook) {
  if (webhook == nullptr) return {};
  return [webhook](std::string news) { webhook->send(std::move(news)); };
}

}  // namespace

Alerting::Alerting(const Config& config, db::Database& db2, const Clock& clock, Metrics& metrics,
                   http::Router& router)
    : webhook_(webhookOf(config, clock, metrics)),
      alerts_(db2, clock, goneAfter(config), tellerOf(webhook_.get()), metrics),
      settings_(db2, config, clock) {
  console::addAlertRoutes(router, alerts_, settings_);
}

}  // namespace tipflow::app
