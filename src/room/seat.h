// A viewer's connection to a room, and all of them on one event loop.
#pragma once

#include <trantor/net/EventLoop.h>

#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "platform/http/websocket.h"
#include "room/client_frame.h"
#include "room/model.h"

namespace tipflow::room {

class Floor;
class Seat;

/// What a seat asks of the gateway; on the seat's event loop.
class SeatHost {
 public:
  virtual ~SeatHost() = default;
  virtual Floor& floorOf(trantor::EventLoop& loop) = 0;
  virtual void entered(const std::shared_ptr<Seat>& seat) = 0;
  virtual void left(const Seat& seat) = 0;
  virtual void said(const std::shared_ptr<Seat>& seat, ClientFrame frame) = 0;
  virtual void refused(const Rejection& chat) = 0;
  virtual void slow() = 0;
  /// Whether this viewer may be in the room now; how long not, when not.
  [[nodiscard]] virtual std::optional<Duration> keptOut(const Seat& seat) const = 0;
  [[nodiscard]] virtual bool muted(const Seat& seat) const = 0;
};

/// Where a client that lost its connection left off.
struct Resume {
  std::string epoch;
  std::int64_t since = 0;
};

/// Stands for the token that a seat came in with.
using LoginMark = std::size_t;
inline LoginMark markOf(std::string_view tokenId) { return std::hash<std::string_view>{}(tokenId); }

class Seat final : public http::WebSocketSession, public std::enable_shared_from_this<Seat> {
 public:
  /// `number`: its own. `viewer` 0: somebody who is no viewer, and watches only.
  Seat(SeatHost& host, std::int64_t number, RoomId room, ViewerId viewer, LoginMark login,
       Time openedAt, std::unique_ptr<Resume> resume)
      : host_(host),
        number_(number),
        room_(room),
        viewer_(viewer),
        login_(login),
        openedAt_(openedAt),
        resume_(std::move(resume)) {}

  [[nodiscard]] std::int64_t number() const { return number_; }
  [[nodiscard]] RoomId room() const { return room_; }
  [[nodiscard]] ViewerId viewer() const { return viewer_; }
  [[nodiscard]] Time openedAt() const { return openedAt_; }
  [[nodiscard]] Floor& floor() const { return *floor_; }
  [[nodiscard]] std::unique_ptr<Resume> takeResume() { return std::move(resume_); }
  /// nullptr until it was looked up.
  [[nodiscard]] const std::string* name() const { return name_.get(); }
  [[nodiscard]] Time namedAt() const { return namedAt_; }
  void setName(std::string name, Time at) {
    name_ = std::make_unique<std::string>(std::move(name));
    namedAt_ = at;
  }

  // On its event loop:
  /// The first frame: what was missed, or a hello that says what this viewer is.
  void welcome(std::string text, bool isHello);
  void hello(std::string_view begin);
  void deliver(std::string_view frame) {
    if (socket_ != nullptr) socket_->send(frame);
  }
  void answer(std::string_view text) { deliver(http::textFrame(text)); }
  void end(std::string_view code, std::optional<std::int64_t> retryAfterSeconds,
           http::CloseCode closeCode);

  void onOpen(http::WebSocket& socket) override;
  void onText(std::string_view text) override;
  void onSlow() override;
  void onGone() override;

 private:
  friend class Floor;
  static constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);

  SeatHost& host_;
  Floor* floor_ = nullptr;
  http::WebSocket* socket_ = nullptr;  // nullptr before it is open and once it is gone
  std::int64_t number_;
  RoomId room_;
  ViewerId viewer_;
  LoginMark login_;
  Time openedAt_;
  std::unique_ptr<Resume> resume_;
  std::unique_ptr<std::string> name_;
  Time namedAt_;
  std::size_t place_ = kNowhere;  // among the room's on its floor
};

/// One frame for all of a room.
struct Delivery {
  RoomId room;
  std::shared_ptr<const std::string> frame;
};

/// The seats of one event loop by room; used on that loop alone.
class Floor {
 public:
  explicit Floor(trantor::EventLoop& loop) : loop_(loop) {}

  [[nodiscard]] trantor::EventLoop& loop() const { return loop_; }
  void add(Seat& seat);
  void remove(Seat& seat);
  [[nodiscard]] std::size_t seats() const { return seats_; }

  /// To how many.
  std::size_t deliver(const Delivery& delivery);
  void hello(RoomId room, std::string_view begin);
  void end(RoomId room, std::string_view code);
  void kick(RoomId room, ViewerId viewer, std::int64_t seconds);
  void logout(const std::unordered_set<LoginMark>& logins);
  /// Sends away whoever may not be here; for when news may have been missed.
  void lookAtAll();
  /// Sends up to `most` away, who are to return within `spread` seconds, in equal parts each
  /// second; false when none are left.
  bool drain(std::size_t most, std::int64_t spread);

 private:
  [[nodiscard]] std::vector<Seat*> of(RoomId room) const;

  trantor::EventLoop& loop_;
  std::unordered_map<RoomId, std::vector<Seat*>> rooms_;
  std::size_t seats_ = 0;
  std::int64_t drained_ = 0;
};

}  // namespace tipflow::room
