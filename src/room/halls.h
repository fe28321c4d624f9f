// All rooms that have viewers on this node, on one thread of their own: what happens comes in from
// the bus and from the seats, and goes out to the event loops once a tick.
#pragma once

#include <trantor/net/EventLoopThread.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "analysis/client.h"
#include "anchor/client.h"
#include "audience/client.h"
#include "platform/bus.h"
#include "room/hall.h"
#include "room/live_rooms.h"
#include "room/metrics.h"
#include "room/seat.h"

namespace tipflow::room {

/// Whom halls ask; each may be null but the first two.
struct HallFriends {
  Bus& bus;
  ReportedRooms& live;
  const anchor::AnchorClient* anchors = nullptr;
  audience::AudienceClient* audience = nullptr;
  anchor::ChatArchive* archive = nullptr;
  analysis::AnalysisClient* analysis = nullptr;
};

class Halls {
 public:
  /// `process`: this one; part of every epoch.
  Halls(HallFriends friends, const HallLimits& limits, Duration tick, std::string process,
        const Clock& clock, RoomMetrics& metrics);
  ~Halls();
  Halls(const Halls&) = delete;
  Halls& operator=(const Halls&) = delete;

  /// From here on it listens and ticks.
  void start();

  // From any thread:
  /// Told of every event loop that has seats, before its first one enters.
  void addFloor(Floor& floor);
  /// The seat is welcomed on its own event loop, and hears all that happens from then on.
  void enter(std::shared_ptr<Seat> seat);
  /// `seat`: its number. `watched` with a viewer 0: somebody who was no viewer.
  void leave(std::int64_t seat, analysis::Watched watched);
  void say(RoomId room, ChatNews chat, Time at);
  /// Whoever came in with this login is sent away within a second or two.
  void loggedOut(LoginMark login);

 private:
  struct Room;

  void listen();
  Room* open(RoomId id);
  void welcome(Room& room, const std::shared_ptr<Seat>& seat);
  void take(RoomTips news);
  void startAnewIfDue(Time now);

  void tick();
  /// To everybody, what happened since the last time.
  void sendFrames(Time now);
  [[nodiscard]] bool areBehind(Time now) const;
  /// False when the room has ended or nobody has been there for long.
  bool follow(Room& room, Time now);
  void end(Room& room, anchor::RoomState state);
  void report(Time now);
  void publishChats(Room& room);
  void tellNumbers(Room& room, Time now);
  std::vector<Delivery> frames(Time now);
  [[nodiscard]] Duration reportEvery() const;
  void askTop(Room& room);
  void handOver(Time now);
  void sendLoggedOut();

  [[nodiscard]] Stats statsOf(const Room& room) const;
  [[nodiscard]] Part partOf(const Room& room) const;
  [[nodiscard]] std::string newEpoch();
  void onFloors(const std::function<void(Floor&)>& work);
  void post(std::function<void()> work);

  HallFriends friends_;
  HallLimits limits_;
  Duration tickEvery_;
  std::string process_;
  const Clock& clock_;
  RoomMetrics& metrics_;
  // Used on the thread alone:
  std::map<RoomId, std::unique_ptr<Room>> rooms_;
  std::vector<Floor*> floors_;
  std::vector<Part> ended_;  // rooms that have ended since the last report
  std::vector<anchor::ChatLine> lines_;
  std::vector<analysis::Watched> watched_;
  std::unordered_set<LoginMark> loggedOut_;
  std::unordered_set<LoginMark> loggedOutBefore_;
  std::int64_t epochs_ = 0;
  Time reportedAt_{};
  Time partsReportedAt_{};
  Time sentAt_{};
  // Event loops that have yet to hand on a tick's frames.
  std::shared_ptr<std::atomic<int>> sending_ = std::make_shared<std::atomic<int>>(0);
  bool anewDue_ = false;  // news may have been missed
  Time anewAt_{};
  // Event loops that have yet to tell everybody how things stand.
  std::shared_ptr<std::atomic<int>> greeting_ = std::make_shared<std::atomic<int>>(0);
  std::int64_t countBudget_ = 0;  // deliveries; below 0 after a large room
  RoomId countedLast_{};          // whose counts alone were told last
  Time handedOverAt_{};
  trantor::EventLoopThread thread_{"rooms"};  // ends first
};

}  // namespace tipflow::room
