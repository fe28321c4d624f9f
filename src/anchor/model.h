// The anchor role's world: anchors, their rooms, and the sessions of a room.
#pragma once

#include <boost/describe.hpp>

#include <optional>
#include <string>
#include <vector>

#include "anchor/client.h"
#include "base/time.h"
#include "platform/json.h"
#include "platform/tags.h"

namespace tipflow::anchor {

using Name = Text<1, 64>;
using Password = Secret<8, 128>;
using AnchorAge = Ranged<18, 150>;
using Region = Text<1, 64>;
using Category = Text<1, 32>;
using Title = Text<1, 128>;

// Requests ------------------------------------------------------------------------------------

struct RegisterAnchor {
  Name name;
  Password password;
  Gender gender = Gender::unknown;
  AnchorAge age;
  std::optional<Region> region;
  std::optional<Category> category;
  std::optional<TagList> tags;
};
BOOST_DESCRIBE_STRUCT(RegisterAnchor, (), (name, password, gender, age, region, category, tags))

struct ChangeAnchor {
  std::optional<Name> name;
  std::optional<Password> password;
  std::optional<Gender> gender;
  std::optional<AnchorAge> age;
  std::optional<Region> region;
  std::optional<Category> category;
  std::optional<TagList> tags;
};
BOOST_DESCRIBE_STRUCT(ChangeAnchor, (), (name, password, gender, age, region, category, tags))

struct ChangeRoom {
  std::optional<Title> title;
  std::optional<Category> category;
  std::optional<TagList> tags;
};
BOOST_DESCRIBE_STRUCT(ChangeRoom, (), (title, category, tags))

// Answers -------------------------------------------------------------------------------------

struct Anchor {
  AnchorId id;
  std::string name;
  Gender gender = Gender::unknown;
  std::int64_t age = 0;
  std::optional<std::string> region;
  std::vector<std::string> tags;
  std::optional<BasisPoints> shareBp;  ///< null while finance cannot say
  RoomId roomId;
  Time createdAt;
};
BOOST_DESCRIBE_STRUCT(Anchor, (), (id, name, gender, age, region, tags, shareBp, roomId, createdAt))

struct Room {
  RoomId id;
  AnchorId anchorId;
  std::string anchorName;
  std::string title;
  std::optional<std::string> category;
  std::vector<std::string> tags;
  RoomState state = RoomState::off;
  std::optional<SessionId> sessionId;
  std::int64_t viewers = 0;
  Fen revenue;  ///< of the session under way
};
BOOST_DESCRIBE_STRUCT(Room, (),
                      (id, anchorId, anchorName, title, category, tags, state, sessionId, viewers,
                       revenue))

struct RoomSession {
  SessionId id;
  RoomId roomId;
  Time openedAt;
  std::optional<Time> closedAt;
  std::int64_t tips = 0;
  Fen revenue;
};
BOOST_DESCRIBE_STRUCT(RoomSession, (), (id, roomId, openedAt, closedAt, tips, revenue))

}  // namespace tipflow::anchor
