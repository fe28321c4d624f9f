// Rooms and their anchors as a node without the role anchor knows them. What was asked for later is
// never replaced by what was asked for earlier, whichever answer comes first; no room is ever
// forgotten.
#pragma once

#include <cstdint>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "anchor/wire.h"

namespace tipflow::anchor {

/// Thread-safe.
class CardBook {
 public:
  /// A question is about to be asked; what it is answered is kept under this number.
  std::uint64_t ask();
  void keep(const wire::Card& card, std::uint64_t asked);

  [[nodiscard]] std::optional<RoomCard> room(RoomId id, Time now) const;
  [[nodiscard]] std::optional<AnchorCard> anchor(AnchorId id) const;
  [[nodiscard]] std::vector<RoomCard> liveRooms() const;
  [[nodiscard]] std::vector<std::string> tags(RoomId room) const;

 private:
  struct Entry {
    RoomCard room;  // with the state as it is stored
    std::optional<Time> bannedUntil;
    AnchorCard anchor;
    std::vector<std::string> tags;
    std::uint64_t asked = 0;
  };

  mutable std::shared_mutex mutex_;
  std::uint64_t asked_ = 0;
  std::unordered_map<RoomId, Entry> rooms_;
  std::unordered_map<AnchorId, RoomId> roomOf_;
};

}  // namespace tipflow::anchor
