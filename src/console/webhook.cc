#include "console/webhook.h"

#include <fmt/format.h>

#include "platform/log.h"
#include "platform/security/crypto.h"
#include "platform/thread_name.h"

namespace tipflow::console {
namespace {

prometheus::Counter& counter(Metrics& metrics, const char* outcome) {
  return metrics.counter("tipflow_alert_webhook_posts_total",
                         "Alerts told to the webhook, by outcome.", {{"outcome", outcome}});
}

}  // namespace

std::string webhookSignature(std::string_view secret, std::int64_t timestampMs,
                             std::string_view body) {
  return "v1=" +
         crypto::toHex(crypto::hmacSha256(secret, fmt::format("{}\n{}", timestampMs, body)));
}

Webhook::Webhook(Post post, std::string secret, WebhookLimits limits, const Clock& clock,
                 Metrics& metrics)
    : post_(std::move(post)),
      secret_(std::move(secret)),
      limits_(std::move(limits)),
      clock_(clock),
      delivered_(counter(metrics, "delivered")),
      failed_(counter(metrics, "failed")),
      dropped_(counter(metrics, "dropped")),
      thread_([this] { run(); }) {}

Webhook::~Webhook() {
  leave();
  thread_.join();
}

void Webhook::leave() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
}

void Webhook::send(std::string body) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return drop("the node is leaving", body);
    if (waiting_.size() >= limits_.waiting) return drop("too many wait", body);
    waiting_.push_back(std::move(body));
  }
  wake_.notify_all();
}

void Webhook::run() {
  nameThread("webhook");
  for (;;) {
    std::string body;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (stopping_) break;
      body = waiting_.front();
    }
    deliver(body);
    const std::lock_guard lock(mutex_);
    waiting_.pop_front();
  }
  const std::lock_guard lock(mutex_);
  for (const auto& body : waiting_) drop("the node is leaving", body);
  waiting_.clear();
}

void Webhook::drop(const char* why, const std::string& body) {
  dropped_.Increment();
  log::error("console", "the webhook was not told of an alert",
             log::field("error", std::string_view(why)), log::field("alert", body));
}

void Webhook::deliver(const std::string& body) {
  std::string why;
  for (std::size_t tries = 0;; ++tries) {
    if (tryOnce(body, why)) {
      delivered_.Increment();
      return;
    }
    if (tries == limits_.pauses.size() || !pause(limits_.pauses[tries])) break;
  }
  failed_.Increment();
  log::error("console", "the webhook did not take an alert", log::field("error", why),
             log::field("alert", body));
}

bool Webhook::tryOnce(const std::string& body, std::string& why) {
  http::Poster::Body request{body, "application/json"};
  if (!secret_.empty()) {
    const auto now = clock_.now().us / kUsPerMs;
    request.headers = {{"X-Tipflow-Timestamp", std::to_string(now)},
                       {"X-Tipflow-Signature", webhookSignature(secret_, now, body)}};
  }
  try {
    post_(std::move(request));
    return true;
  } catch (const std::exception& error) {
    why = error.what();
    return false;
  }
}

bool Webhook::pause(Duration length) {
  std::unique_lock lock(mutex_);
  return !wake_.wait_for(lock, length, [this] { return stopping_; });
}

}  // namespace tipflow::console
