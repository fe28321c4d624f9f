// Tells live rooms of tips once they are committed: one message a committed batch and room, made on
// a thread of its own, so that a lane only hands its batch over. A message may be lost, never a
// tip.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "audience/tip.h"
#include "platform/bus.h"
#include "platform/metrics.h"
#include "room/client.h"

namespace tipflow::audience {

/// The messages of topic::kRoomEvents for these tips, one a room; rooms that `isWanted` says no to
/// are left out. `nameOf`: what people call a viewer.
[[nodiscard]] std::vector<std::string> roomMessages(
    const std::vector<NumberedTip>& tips, const std::function<bool(RoomId)>& isWanted,
    const std::function<std::string(ViewerId)>& nameOf);

class RoomEvents {
 public:
  using Names = std::function<std::string(ViewerId)>;

  /// `rooms` may be null: then nobody is told. `nameOf` answers from memory.
  RoomEvents(Bus& bus, const room::LiveRooms* rooms, Names nameOf, Metrics& metrics);
  ~RoomEvents();
  RoomEvents(const RoomEvents&) = delete;
  RoomEvents& operator=(const RoomEvents&) = delete;

  /// On a lane's thread, after the commit.
  void onCommitted(const std::vector<NumberedTip>& tips);
  /// Tells what is waiting, then no more.
  void stop();

 private:
  void run();
  void tell(const std::vector<NumberedTip>& tips);

  Bus& bus_;
  const room::LiveRooms* rooms_;
  Names nameOf_;
  prometheus::Counter& messages_;
  prometheus::Counter& lost_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<NumberedTip> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace tipflow::audience
