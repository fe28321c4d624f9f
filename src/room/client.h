// What other roles ask of live rooms: how many watch, and whether anybody would see what happens.
// Answered from memory, put together from what room nodes report over the bus.
#pragma once

#include <cstdint>

#include "base/ids.h"

namespace tipflow::room {

/// Of the session under way, else of the last one; all 0 before anybody has come.
struct LiveNumbers {
  std::int64_t viewers = 0;  ///< open connections now
  std::int64_t peakViewers = 0;
  std::int64_t joins = 0;  ///< connections there were
  std::int64_t chats = 0;
  friend bool operator==(const LiveNumbers&, const LiveNumbers&) = default;
};

/// Thread-safe.
class LiveRooms {
 public:
  virtual ~LiveRooms() = default;
  [[nodiscard]] virtual LiveNumbers numbers(RoomId room) const = 0;
  /// False only when certainly no viewer's connection would be told what happens in the room.
  [[nodiscard]] virtual bool isWatched(RoomId room) const = 0;
  /// The same for every room at once.
  [[nodiscard]] virtual bool anyWatched() const = 0;
};

}  // namespace tipflow::room
