// What stands in front of every route: who a request comes from, networks that are refused, and how
// often one address and one person may ask. Decides; the Router answers.
#pragma once

#include <drogon/HttpRequest.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "platform/http/address.h"
#include "platform/http/rate_limit.h"
#include "platform/metrics.h"
#include "platform/security/tokens.h"

namespace tipflow::http {

struct GateLimits {
  std::int64_t addressPerSecond = 0;  ///< 0: no limit
  std::int64_t addressBurst = 1;
  std::int64_t viewerPerSecond = 0;  ///< 0: no limit
  std::int64_t viewerBurst = 1;
  NetworkSet exempt;  ///< from both limits
};

/// The client behind `peer`: the peer itself, unless it is trusted; then the last entry of the
/// X-Forwarded-For header that is not, for each proxy appends whom it was asked by. From an entry
/// that is no address on, nothing is believed.
Address clientBehind(const Address& peer, std::string_view forwardedFor, const NetworkSet& trusted);

/// Thread-safe.
class Gate {
 public:
  Gate(NetworkSet trustedProxies, GateLimits limits, const Clock& clock, Metrics& metrics);

  [[nodiscard]] Address clientOf(const drogon::HttpRequest& request) const;

  /// Why nothing from this address is answered; the cost does not grow with the requests refused.
  std::optional<Rejection> refuseBlocked(const Address& client);
  /// Counts a request of this address; why it is refused, when it is one too many.
  std::optional<Rejection> refuseAddress(const Address& client);
  /// The same for whom the token speaks for; operators are not limited.
  std::optional<Rejection> refuseViewer(const Principal& principal, const Address& client);

  /// From now on exactly these networks are blocked.
  void block(std::shared_ptr<const NetworkSet> networks);

 private:
  [[nodiscard]] bool blocked(const Address& client) const;

  NetworkSet trusted_;
  NetworkSet exempt_;
  const Clock& clock_;
  RateLimit addresses_;
  RateLimit viewers_;
  prometheus::Counter& refusedBlocked_;
  prometheus::Counter& refusedAddress_;
  prometheus::Counter& refusedViewer_;

  // Each thread keeps the set it last saw and asks for it again only when the version has moved.
  mutable std::mutex mutex_;
  std::shared_ptr<const NetworkSet> networks_;
  std::atomic<std::uint64_t> version_;
};

}  // namespace tipflow::http
