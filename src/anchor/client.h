// What other roles ask of the anchor role: who an anchor is, and what state a room is in.
// Answered from memory, at once: this stands on the path of every tip. When the anchor role is away
// the last known state serves.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/enums.h"
#include "base/ids.h"

namespace tipflow::anchor {

enum class RoomState { off = 0, live = 1, banned = 2 };

struct AnchorCard {
  AnchorId id;
  std::string name;
  Gender gender = Gender::unknown;
  RoomId room;
};

struct RoomCard {
  RoomId id;
  AnchorId anchor;
  Gender anchorGender = Gender::unknown;
  RoomState state = RoomState::off;
  SessionId session;  ///< 0 when there is none
};

class AnchorClient {
 public:
  virtual ~AnchorClient() = default;
  [[nodiscard]] virtual std::optional<RoomCard> room(RoomId id) const = 0;
  [[nodiscard]] virtual std::optional<AnchorCard> anchor(AnchorId id) const = 0;
  [[nodiscard]] virtual std::vector<RoomCard> liveRooms() const = 0;
};

}  // namespace tipflow::anchor

template <>
struct tipflow::EnumWords<tipflow::anchor::RoomState> {
  using State = anchor::RoomState;
  static constexpr std::array values{std::pair{std::string_view{"off"}, State::off},
                                     std::pair{std::string_view{"live"}, State::live},
                                     std::pair{std::string_view{"banned"}, State::banned}};
};
