// LiveRooms from what room nodes report over the bus: for every node that is asked about rooms,
// with or without the role room.
#pragma once

#include <mutex>
#include <set>
#include <string>

#include "platform/bus.h"
#include "room/presence.h"

namespace tipflow::room {

class ReportedRooms final : public LiveRooms {
 public:
  /// `process`: this one.
  ReportedRooms(Bus& bus, const Clock& clock, std::string process);

  [[nodiscard]] LiveNumbers numbers(RoomId room) const override;
  [[nodiscard]] bool isWatched(RoomId room) const override;
  [[nodiscard]] bool anyWatched() const override;
  /// How many processes have reported lately.
  [[nodiscard]] std::size_t processes() const;

  /// For the role room of this process: whether it has the room here. What happens after this has
  /// returned is told to it.
  void here(RoomId room, bool is);

 private:
  [[nodiscard]] bool elsewhere() const;

  const Clock& clock_;
  std::string process_;
  mutable std::mutex mutex_;
  mutable PresenceBoard board_;
  std::set<RoomId> here_;
  Time unsureUntil_{};  // until then nodes may be there that were not heard
};

}  // namespace tipflow::room
