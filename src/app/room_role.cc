#include "app/room_role.h"

#include <sys/resource.h>

#include <algorithm>

#include "platform/log.h"

namespace tipflow::app {
namespace {

constexpr std::size_t kKib = 1024;
/// Descriptors for everything else: databases, requests, files.
constexpr std::int64_t kOtherDescriptors = 512;

std::int64_t connectionsPossible(std::int64_t wanted) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return wanted;
  const auto possible =
      std::max<std::int64_t>(1, static_cast<std::int64_t>(limit.rlim_cur) - kOtherDescriptors);
  if (possible < wanted) {
    log::warn("room", "fewer connections than room.max_connections, for the limit on open files",
              log::field("connections", possible));
  }
  return std::min(possible, wanted);
}

room::GatewayLimits gatewayLimits(const Config& config) {
  room::GatewayLimits limits;
  limits.connections = connectionsPossible(config.roomMaxConnections);
  limits.admitPerSecond = config.roomAdmitPerSecond;
  limits.chatLength = static_cast<std::size_t>(config.roomChatLength);
  limits.chatPerSecond = config.roomChatPerSecond;
  limits.chatBurst = config.roomChatBurst;
  return limits;
}

room::HallLimits hallLimits(const Config& config) {
  room::HallLimits limits;
  limits.ringBytes = static_cast<std::size_t>(config.roomRingKib) * kKib;
  limits.chatsATick = static_cast<std::size_t>(config.roomChatsATick);
  limits.countDeliveriesPerSecond = config.roomCountDeliveries;
  limits.comboWindow = Duration{config.roomComboSeconds * kUsPerSecond};
  return limits;
}

}  // namespace

void RoomRole::build(const Clients& clients) {
  auto& g = ground_;
  metrics_ = std::make_unique<room::RoomMetrics>(g.metrics);
  words_ = std::make_unique<room::ListedWords>(g.config.roomChatBlockedWords);
  halls_ = std::make_unique<room::Halls>(
      room::HallFriends{g.bus, live_, clients.anchors, clients.audience, clients.chat,
                        clients.analysis},
      hallLimits(g.config), Duration{g.config.roomTickMs * kUsPerMs}, g.process, g.clock,
      *metrics_);
  gateway_ = std::make_unique<room::Gateway>(*halls_, clients.anchors, clients.audience, *words_,
                                             gatewayLimits(g.config), g.clock, *metrics_);
  g.shared.revocations().onRevoked(
      [this](const std::string& tokenId) { gateway_->loggedOut(tokenId); });
  http::WebSocketLimits limits;
  limits.sendBuffer = static_cast<std::size_t>(g.config.roomSendBufferKib) * kKib;
  limits.quietSeconds = static_cast<int>(g.config.roomPingSeconds);
  sockets_ = std::make_unique<http::WebSockets>(g.front.gate(), g.tokens, limits, *gateway_);
}

void RoomRole::start() {
  halls_->start();
  sockets_->install("/ws/rooms/");
}

}  // namespace tipflow::app
