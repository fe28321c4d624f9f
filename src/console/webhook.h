// Tells another server of alerts, one after the other, on a thread of its own. It slows nobody:
// what cannot be told within its tries is counted and logged, and what waits is bounded.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/time.h"
#include "platform/http/poster.h"
#include "platform/metrics.h"

namespace tipflow::console {

struct WebhookLimits {
  std::size_t waiting = 100;
  /// Between two tries; there is one try more than pauses.
  std::vector<Duration> pauses{Duration{1 * kUsPerSecond}, Duration{4 * kUsPerSecond}};
};

/// `v1=` and the hex HMAC-SHA256 of the timestamp (Unix ms), a line feed and the body.
std::string webhookSignature(std::string_view secret, std::int64_t timestampMs,
                             std::string_view body);

class Webhook {
 public:
  /// Throws http::NotTaken.
  using Post = std::function<void(http::Poster::Body)>;

  /// An empty `secret` signs nothing.
  Webhook(Post post, std::string secret, WebhookLimits limits, const Clock& clock,
          Metrics& metrics);
  ~Webhook();
  Webhook(const Webhook&) = delete;
  Webhook& operator=(const Webhook&) = delete;

  /// Returns at once.
  void send(std::string body);
  /// From now on nothing more is told; returns at once. What is under way ends by itself, what
  /// waits is counted and logged as not told.
  void leave();

 private:
  void run();
  void deliver(const std::string& body);
  void drop(const char* why, const std::string& body);
  /// Whether the other side took it; says why not otherwise.
  bool tryOnce(const std::string& body, std::string& why);
  /// False when there is no time left.
  bool pause(Duration length);

  Post post_;
  std::string secret_;
  WebhookLimits limits_;
  const Clock& clock_;
  prometheus::Counter& delivered_;
  prometheus::Counter& failed_;
  prometheus::Counter& dropped_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::string> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace tipflow::console
