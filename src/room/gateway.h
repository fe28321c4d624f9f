// The door of the live rooms: who may come in, what may be said, and leaving in order.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "platform/http/rate_limit.h"
#include "room/admission.h"
#include "room/halls.h"
#include "room/rules.h"

namespace tipflow::room {

struct GatewayLimits {
  std::int64_t connections = 100'000;
  std::int64_t admitPerSecond = 1'000;
  std::size_t chatLength = 200;  ///< in characters
  std::int64_t chatPerSecond = 1;
  std::int64_t chatBurst = 5;
};

class Gateway final : public http::WebSocketEndpoint, public SeatHost {
 public:
  /// `anchors` null: the role is away, and nobody comes in. So may `audience` be: chat then shows
  /// ids.
  Gateway(Halls& halls, const anchor::AnchorClient* anchors, audience::AudienceClient* audience,
          const WordFilter& words, const GatewayLimits& limits, const Clock& clock,
          RoomMetrics& metrics);

  Result<std::shared_ptr<http::WebSocketSession>> admit(const http::Upgrade& upgrade) override;
  /// Whoever came in with this token is sent away.
  void loggedOut(const std::string& tokenId) { halls_.loggedOut(markOf(tokenId)); }
  /// Nobody comes in any more, and all are sent elsewhere. Blocks until they have gone, for at most
  /// `limit`; not for the event loops.
  void drain(Duration limit);

  Floor& floorOf(trantor::EventLoop& loop) override;
  void entered(const std::shared_ptr<Seat>& seat) override;
  void left(const Seat& seat) override;
  void said(const std::shared_ptr<Seat>& seat, ClientFrame frame) override;
  void refused(const Rejection& chat) override { metrics_.chatRefused(chat.code); }
  void slow() override { metrics_.slow.Increment(); }
  [[nodiscard]] std::optional<Duration> keptOut(const Seat& seat) const override;
  [[nodiscard]] bool muted(const Seat& seat) const override;

 private:
  Result<std::shared_ptr<http::WebSocketSession>> checked(const http::Upgrade& upgrade);
  [[nodiscard]] std::optional<Rejection> refusal(RoomId room, ViewerId viewer);
  [[nodiscard]] Result<std::string> checkedText(const Seat& seat, std::string_view text);
  void show(Seat& seat, std::string_view id, std::string text);
  /// Looks the viewer up first.
  static drogon::AsyncTask showKnown(Gateway* self, std::shared_ptr<Seat> seat, std::string id,
                                     std::string text);

  Halls& halls_;
  const anchor::AnchorClient* anchors_;
  audience::AudienceClient* audience_;
  const WordFilter& words_;
  GatewayLimits limits_;
  const Clock& clock_;
  RoomMetrics& metrics_;
  RateLimit chatRate_;
  std::atomic<std::int64_t> connections_{0};
  std::atomic<std::int64_t> seats_{0};  // there ever were
  std::atomic<bool> draining_{false};
  std::mutex mutex_;
  Admission admission_;
  std::unordered_map<trantor::EventLoop*, std::unique_ptr<Floor>> floors_;
};

}  // namespace tipflow::room
