#include "room/gateway.h"

#include <charconv>
#include <thread>
#include <utility>

#include "platform/http/call.h"
#include "platform/log.h"

namespace tipflow::room {
namespace {

constexpr std::int64_t kBurstSeconds = 2;
constexpr int kDrainSteps = 20;
constexpr double kDrainStepSeconds = 0.05;
constexpr int kSecondsUntilElsewhere = 2;
constexpr std::size_t kLongestEpoch = 64;
// For so long a viewer's name, and that they may chat, need not be looked up again.
constexpr Duration kNameHolds{10 * kUsPerSecond};

int wholeSeconds(Duration duration) {
  return static_cast<int>((duration.count() + kUsPerSecond - 1) / kUsPerSecond);
}

Rejection waiting(ErrorCode code, Duration wait) {
  Rejection rejection{code};
  rejection.retryAfterSeconds = std::max(1, wholeSeconds(wait));
  return rejection;
}

/// `since` and `epoch` of the query: both, or neither.
Result<std::unique_ptr<Resume>> resumeOf(const drogon::HttpRequest& request) {
  const auto wrong = [](const char* field, std::string detail,
                        ErrorCode code = ErrorCode::invalid_format) {
    return Rejection{ErrorCode::invalid_request, {}, {{field, code, std::move(detail)}}};
  };
  const std::string& since = request.getParameter("since");
  const std::string& epoch = request.getParameter("epoch");
  if (since.empty() && epoch.empty()) return std::unique_ptr<Resume>{};
  if (since.empty()) return wrong("since", "is required with epoch", ErrorCode::required);
  if (epoch.empty()) return wrong("epoch", "is required with since", ErrorCode::required);
  auto resume = std::make_unique<Resume>();
  const auto [end, error] =
      std::from_chars(since.data(), since.data() + since.size(), resume->since);
  if (error != std::errc{} || end != since.data() + since.size() || resume->since < 0) {
    return wrong("since", "must be the offset of the last frame");
  }
  if (epoch.size() > kLongestEpoch) {
    return wrong("epoch", "must be the epoch of the hello");
  }
  resume->epoch = epoch;
  return resume;
}

}  // namespace

Gateway::Gateway(Halls& halls, const anchor::AnchorClient* anchors,
                 audience::AudienceClient* audience, const WordFilter& words,
                 const GatewayLimits& limits, const Clock& clock, RoomMetrics& metrics)
    : halls_(halls),
      anchors_(anchors),
      audience_(audience),
      words_(words),
      limits_(limits),
      clock_(clock),
      metrics_(metrics),
      chatRate_(limits.chatPerSecond, limits.chatBurst),
      admission_(limits.admitPerSecond, limits.admitPerSecond * kBurstSeconds) {}

Result<std::shared_ptr<http::WebSocketSession>> Gateway::admit(const http::Upgrade& upgrade) {
  auto session = checked(upgrade);
  if (!session) metrics_.refused(session.error().code);
  return session;
}

Result<std::shared_ptr<http::WebSocketSession>> Gateway::checked(const http::Upgrade& upgrade) {
  const auto id = http::Call::parseId(upgrade.place);
  if (!id) return ErrorCode::room_not_found;
  auto resume = resumeOf(upgrade.request);
  if (!resume) return resume.error();
  const auto& who = *upgrade.principal;
  const ViewerId viewer{who.kind == PrincipalKind::viewer ? who.id : 0};
  if (auto refused = refusal(RoomId{*id}, viewer)) return *std::move(refused);
  return std::shared_ptr<http::WebSocketSession>(std::make_shared<Seat>(
      *this, ++seats_, RoomId{*id}, viewer, markOf(who.tokenId), clock_.now(), *std::move(resume)));
}

std::optional<Rejection> Gateway::refusal(RoomId room, ViewerId viewer) {
  const auto now = clock_.now();
  if (anchors_ == nullptr) return Rejection{ErrorCode::role_unavailable};
  if (draining_) return waiting(ErrorCode::unavailable, Duration{kUsPerSecond});
  const auto card = anchors_->room(room);
  if (!card) return Rejection{ErrorCode::room_not_found};
  if (card->state == anchor::RoomState::banned) return Rejection{ErrorCode::room_banned};
  if (card->state != anchor::RoomState::live) return Rejection{ErrorCode::room_not_live};
  if (viewer.value != 0) {
    const auto until = anchors_->kickedUntil(room, viewer);
    if (until && *until > now) return waiting(ErrorCode::viewer_kicked, *until - now);
  }
  if (connections_ >= limits_.connections) {
    return waiting(ErrorCode::overloaded, Duration{kSecondsUntilElsewhere * kUsPerSecond});
  }
  const std::lock_guard lock(mutex_);
  const int wait = admission_.take(now);
  if (wait > 0) return waiting(ErrorCode::overloaded, Duration{wait * kUsPerSecond});
  return std::nullopt;
}

std::optional<Duration> Gateway::keptOut(const Seat& seat) const {
  if (seat.viewer().value == 0) return std::nullopt;
  const auto until = anchors_->kickedUntil(seat.room(), seat.viewer());
  const auto now = clock_.now();
  return until && *until > now ? std::optional(*until - now) : std::nullopt;
}

bool Gateway::muted(const Seat& seat) const {
  if (seat.viewer().value == 0) return true;
  const auto until = anchors_->mutedUntil(seat.room(), seat.viewer());
  return until && *until > clock_.now();
}

Floor& Gateway::floorOf(trantor::EventLoop& loop) {
  const std::lock_guard lock(mutex_);
  auto& floor = floors_[&loop];
  if (!floor) {
    floor = std::make_unique<Floor>(loop);
    halls_.addFloor(*floor);
  }
  return *floor;
}

void Gateway::entered(const std::shared_ptr<Seat>& seat) {
  metrics_.connections.Set(static_cast<double>(++connections_));
  metrics_.opened.Increment();
  halls_.enter(seat);
}

void Gateway::left(const Seat& seat) {
  metrics_.connections.Set(static_cast<double>(--connections_));
  const auto now = clock_.now();
  halls_.leave(seat.number(),
               {seat.viewer(), seat.room(), (now - seat.openedAt()).count() / kUsPerSecond, now});
}

void Gateway::said(const std::shared_ptr<Seat>& seat, ClientFrame frame) {
  auto text = checkedText(*seat, frame.text);
  if (!text) {
    refused(text.error());
    seat->answer(error(frame.id, text.error()));
  } else if (seat->name() != nullptr && clock_.now() - seat->namedAt() < kNameHolds) {
    show(*seat, frame.id, *std::move(text));
  } else {
    showKnown(this, seat, std::move(frame.id), *std::move(text));
  }
}

Result<std::string> Gateway::checkedText(const Seat& seat, std::string_view text) {
  if (seat.viewer().value == 0) return ErrorCode::forbidden;
  const auto now = clock_.now();
  const auto until = anchors_->mutedUntil(seat.room(), seat.viewer());
  if (until && *until > now) return waiting(ErrorCode::viewer_muted, *until - now);
  const auto wait = chatRate_.take({static_cast<std::uint64_t>(seat.viewer().value), 0}, now);
  if (wait.count() > 0) return waiting(ErrorCode::too_many_requests, wait);
  return checkedChat(text, limits_.chatLength, words_);
}

void Gateway::show(Seat& seat, std::string_view id, std::string text) {
  metrics_.chats.Increment();
  halls_.say(seat.room(), {{seat.viewer(), *seat.name()}, std::move(text)}, clock_.now());
  seat.answer(ack(id));
}

drogon::AsyncTask Gateway::showKnown(Gateway* self, std::shared_ptr<Seat> seat, std::string id,
                                     std::string text) {
  auto* loop = trantor::EventLoop::getEventLoopOfCurrentThread();
  const auto viewer = seat->viewer();
  auto name = seat->name() != nullptr ? *seat->name() : std::to_string(viewer.value);
  const std::weak_ptr<Seat> weak = std::exchange(seat, nullptr);
  bool disabled = false;
  if (self->audience_ != nullptr) {
    try {
      std::vector<ViewerId> asked{viewer};
      const auto facts = co_await self->audience_->viewerFacts(std::move(asked));
      if (!facts.empty()) {
        name = facts.front().name;
        disabled = facts.front().disabled;
      }
    } catch (const std::exception& away) {
      log::warn("room", "a viewer's name is not known now",
                log::field("error", std::string_view(away.what())));
    }
  }
  loop->runInLoop([self, weak, name, id, text, disabled] {
    const auto still = weak.lock();
    if (!still) return;
    if (disabled) {
      const Rejection rejection{ErrorCode::viewer_disabled};
      self->refused(rejection);
      return still->answer(error(id, rejection));
    }
    still->setName(name, self->clock_.now());
    self->show(*still, id, text);
  });
}

void Gateway::drain(Duration limit) {
  draining_ = true;
  const auto spread = std::clamp<std::int64_t>(connections_ / limits_.admitPerSecond, 1,
                                               Admission::kLongestWaitSeconds);
  {
    const std::lock_guard lock(mutex_);
    for (auto& [loop, floor] : floors_) {
      loop->queueInLoop([on = loop, own = floor.get(), spread] {
        const auto step = own->seats() / kDrainSteps + 1;
        on->runEvery(kDrainStepSeconds, [own, step, spread] { (void)own->drain(step, spread); });
      });
    }
  }
  const auto until = clock_.now() + limit;
  while (connections_ > 0 && clock_.now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

}  // namespace tipflow::room
