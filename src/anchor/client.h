// What other roles ask of the anchor role: who an anchor is, what state a room is in, who may not
// enter or speak there; and where a room's chat is kept. All but the chat is answered from memory,
// at once: this stands on the path of every tip. When the anchor role is away the last known state
// serves.
#pragma once

#include <drogon/utils/coroutine.h>

#include <optional>
#include <string>
#include <vector>

#include "base/enums.h"
#include "base/ids.h"
#include "base/time.h"

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
  /// False until a node without the role has heard of the rooms for the first time.
  [[nodiscard]] virtual bool roomsKnown() const { return true; }
  [[nodiscard]] virtual std::optional<RoomCard> room(RoomId id) const = 0;
  [[nodiscard]] virtual std::optional<AnchorCard> anchor(AnchorId id) const = 0;
  [[nodiscard]] virtual std::vector<RoomCard> liveRooms() const = 0;
  /// Until when the viewer may not enter the room; nullopt: is free to. Changes are told as
  /// topic::kRoomModeration.
  [[nodiscard]] virtual std::optional<Time> kickedUntil(RoomId room, ViewerId viewer) const = 0;
  /// Until when the viewer may not chat there; nullopt: is free to.
  [[nodiscard]] virtual std::optional<Time> mutedUntil(RoomId room, ViewerId viewer) const = 0;
  /// Empty for an unknown room.
  [[nodiscard]] virtual std::vector<std::string> roomTags(RoomId room) const = 0;
  /// Makes what is known of the room, or of the anchor and its room, no older than this call, as
  /// far as it can be: for whoever would refuse something because of what is known, for news takes
  /// its time between nodes.
  virtual drogon::Task<> lookAgain(RoomId) { co_return; }
  virtual drogon::Task<> lookAgain(AnchorId) { co_return; }
};

/// One message in a room.
struct ChatLine {
  RoomId room;
  SessionId session;
  ViewerId viewer;
  std::string text;  ///< at most kChatCharacters; what is longer is cut there
  Time at;
};
inline constexpr std::size_t kChatCharacters = 500;

/// Keeps chat for operators to search. Throws db::Error while it cannot.
class ChatArchive {
 public:
  virtual ~ChatArchive() = default;
  virtual drogon::Task<> keep(std::vector<ChatLine> lines) = 0;
};

}  // namespace tipflow::anchor

template <>
struct tipflow::EnumWords<tipflow::anchor::RoomState> {
  using State = anchor::RoomState;
  static constexpr std::array values{std::pair{std::string_view{"off"}, State::off},
                                     std::pair{std::string_view{"live"}, State::live},
                                     std::pair{std::string_view{"banned"}, State::banned}};
};
