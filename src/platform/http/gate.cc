#include "platform/http/gate.h"

#include <arpa/inet.h>

#include "base/text.h"

namespace tipflow::http {
namespace {

/// An entry of X-Forwarded-For: an address, perhaps with a port.
std::optional<Address> forwardedAddress(std::string_view entry) {
  entry = trimmed(entry);
  if (entry.starts_with('[')) {
    const auto end = entry.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    const auto rest = entry.substr(end + 1);
    if (!rest.empty() && rest.front() != ':') return std::nullopt;
    return Address::parse(entry.substr(1, end - 1));
  }
  const auto colon = entry.find(':');
  const bool ipv4WithPort = colon != std::string_view::npos && colon == entry.rfind(':');
  return Address::parse(ipv4WithPort ? entry.substr(0, colon) : entry);
}

/// Never the same for two sets, of one gate or of several.
std::uint64_t nextVersion() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

prometheus::Counter& refused(Metrics& metrics, const char* reason) {
  return metrics.counter("tipflow_http_refused_total", "Requests refused before any route.",
                         {{"reason", reason}});
}

Rejection tooMany(const char* whose, Duration wait) {
  return {ErrorCode::too_many_requests,
          whose,
          {},
          static_cast<int>((wait.count() + kUsPerSecond - 1) / kUsPerSecond)};
}

}  // namespace

Address clientBehind(const Address& peer, std::string_view forwardedFor,
                     const NetworkSet& trusted) {
  Address client = peer;
  while (!forwardedFor.empty() && trusted.contains(client)) {
    const auto comma = forwardedFor.rfind(',');
    const bool last = comma == std::string_view::npos;
    const auto entry = forwardedAddress(last ? forwardedFor : forwardedFor.substr(comma + 1));
    if (!entry) break;
    client = *entry;
    forwardedFor = last ? std::string_view{} : forwardedFor.substr(0, comma);
  }
  return client;
}

Gate::Gate(NetworkSet trustedProxies, GateLimits limits, const Clock& clock, Metrics& metrics)
    : trusted_(std::move(trustedProxies)),
      exempt_(std::move(limits.exempt)),
      clock_(clock),
      addresses_(limits.addressPerSecond, limits.addressBurst),
      viewers_(limits.viewerPerSecond, limits.viewerBurst),
      refusedBlocked_(refused(metrics, "blocked")),
      refusedAddress_(refused(metrics, "address_limit")),
      refusedViewer_(refused(metrics, "viewer_limit")),
      networks_(std::make_shared<const NetworkSet>()),
      version_(nextVersion()) {}

Address Gate::clientOf(const drogon::HttpRequest& request) const {
  const auto& peer = request.peerAddr();
  const auto address = peer.isIpV6() ? Address::ofIpv6(peer.ip6NetEndian())
                                     : Address::ofIpv4(ntohl(peer.ipNetEndian()));
  if (trusted_.empty()) return address;
  return clientBehind(address, request.getHeader("x-forwarded-for"), trusted_);
}

bool Gate::blocked(const Address& client) const {
  struct Seen {
    std::uint64_t version = 0;
    std::shared_ptr<const NetworkSet> networks;
  };
  thread_local Seen seen;
  if (seen.version != version_.load(std::memory_order_acquire)) {
    const std::lock_guard lock(mutex_);
    seen = {version_.load(std::memory_order_relaxed), networks_};
  }
  return seen.networks->contains(client);
}

void Gate::block(std::shared_ptr<const NetworkSet> networks) {
  const std::lock_guard lock(mutex_);
  networks_ = std::move(networks);
  version_.store(nextVersion(), std::memory_order_release);
}

std::optional<Rejection> Gate::refuseBlocked(const Address& client) {
  if (!blocked(client)) return std::nullopt;
  refusedBlocked_.Increment();
  return Rejection{ErrorCode::address_blocked};
}

std::optional<Rejection> Gate::refuseAddress(const Address& client) {
  if (!addresses_.on() || exempt_.contains(client)) return std::nullopt;
  const auto site = client.site();
  const auto wait = addresses_.take({site.high, site.low}, clock_.now());
  if (wait <= Duration{0}) return std::nullopt;
  refusedAddress_.Increment();
  return tooMany("too many requests from this address", wait);
}

std::optional<Rejection> Gate::refuseViewer(const Principal& principal, const Address& client) {
  if (!viewers_.on() || principal.kind == PrincipalKind::operator_ || exempt_.contains(client)) {
    return std::nullopt;
  }
  const RateLimit::Key key{static_cast<std::uint64_t>(principal.kind),
                           static_cast<std::uint64_t>(principal.id)};
  const auto wait = viewers_.take(key, clock_.now());
  if (wait <= Duration{0}) return std::nullopt;
  refusedViewer_.Increment();
  return tooMany("too many requests of this account", wait);
}

}  // namespace tipflow::http
