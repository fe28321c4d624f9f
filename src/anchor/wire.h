// How nodes with the role anchor tell others of rooms, and are given chat: the JSON of
// /internal/v1/anchor. Pure types.
#pragma once

#include <limits>
#include <optional>

#include "anchor/client.h"
#include "platform/json.h"

namespace tipflow::anchor::wire {

using Number = Ranged<0, std::numeric_limits<std::int64_t>::max()>;
using IdNumber = Ranged<1, kIdEnd - 1>;

/// What others need to know of a room and its anchor.
struct Card {
  IdNumber roomId;
  IdNumber anchorId;
  Secret<0, 1'024> anchorName;
  Gender anchorGender = Gender::unknown;
  RoomState state = RoomState::off;
  std::optional<Number> bannedUntil;  ///< microseconds; nothing: for good, if it is banned
  Number sessionId;                   ///< 0 when there is none
  json::List<Secret<0, 1'024>, 0, 1'000> tags;
};
BOOST_DESCRIBE_STRUCT(Card, (),
                      (roomId, anchorId, anchorName, anchorGender, state, bannedUntil, sessionId,
                       tags))

inline constexpr std::size_t kPageCards = 1'000;

/// Answer of GET /internal/v1/anchor/cards: rooms in the order of their ids.
struct Page {
  json::List<Card, 0, kPageCards> items;
  std::optional<IdNumber> next;  ///< ask for those after this room; nothing when these are the last
};
BOOST_DESCRIBE_STRUCT(Page, (), (items, next))

/// A viewer who may not enter a room, or not speak there, until then (microseconds). Also what
/// topic::kRoomModeration holds.
struct Restraint {
  IdNumber roomId;
  IdNumber viewerId;
  std::optional<Number> kickedUntil;
  std::optional<Number> mutedUntil;
};
BOOST_DESCRIBE_STRUCT(Restraint, (), (roomId, viewerId, kickedUntil, mutedUntil))

/// Answer of GET /internal/v1/anchor/restraints: all that hold.
struct Restraints {
  json::List<Restraint, 0, 1'000'000> items;
};
BOOST_DESCRIBE_STRUCT(Restraints, (), (items))

struct Line {
  IdNumber roomId;
  Number sessionId;
  IdNumber viewerId;
  Secret<0, 4 * kChatCharacters> text;
  Number at;
};
BOOST_DESCRIBE_STRUCT(Line, (), (roomId, sessionId, viewerId, text, at))

/// So many of the longest lines fit what a node takes.
inline constexpr std::size_t kMostLines = 200;

/// Body of POST /internal/v1/anchor/chat; the answer is 200 and says how many were kept.
struct Chat {
  json::List<Line, 1, kMostLines> lines;
};
BOOST_DESCRIBE_STRUCT(Chat, (), (lines))
struct Kept {
  Number lines;
};
BOOST_DESCRIBE_STRUCT(Kept, (), (lines))

}  // namespace tipflow::anchor::wire
