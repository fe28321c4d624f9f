// What other roles ask of live rooms: how many watch, and whether anybody would see what happens.
// Answered from memory, put together from what room nodes report over the bus.
#pragma once

#include <cstdint>

#include "base/ids.h"

namespace tipflow::room {

/// Of the latest session that anybody came to: one that has just begun is not it yet. All 0 before.
struct LiveNumbers {
  std::int64_t viewers = 0;  ///< open connections now
  std::int64_t peakViewers = 0;
  std::int64_t joins = 0;  ///< connections there were
  std::int64_t chats = 0;
  SessionId session = {};
  /// The same of one session: nobody came to any but its own.
  [[nodiscard]] LiveNumbers of(SessionId asked) const {
    return asked == session ? *this : LiveNumbers{.session = asked};
  }
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
