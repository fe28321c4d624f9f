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

/// Why something was forbidden, in the words of who did it.
using Reason = Text<1, 200>;
using IdField = Ranged<1, kIdEnd - 1>;

struct BanRequest {
  Reason reason;
  std::optional<Time> until;  ///< without it: until it is lifted
};
BOOST_DESCRIBE_STRUCT(BanRequest, (), (reason, until))

inline constexpr std::int64_t kMostRestraintSeconds = 365 * 86'400;
inline constexpr std::int64_t kUsualKickSeconds = 3'600;

/// How long a kick lasts; the bounds and what holds without it are named where it is wrong.
struct KickSeconds {
  std::int64_t value = kUsualKickSeconds;
};
inline void read(const boost::json::value& value, const std::string& path, KickSeconds& out,
                 json::Faults& faults) {
  Ranged<1, kMostRestraintSeconds> seconds;
  json::Faults found;
  json::read(value, path, seconds, found);
  for (const auto& fault : found.take()) {
    faults.add(fault.field, fault.code,
               fmt::format("{}; without it {}", fault.detail, kUsualKickSeconds));
  }
  out.value = seconds.value;
}

struct KickRequest {
  IdField viewerId;
  std::optional<Reason> reason;
  std::optional<KickSeconds> seconds;
};
BOOST_DESCRIBE_STRUCT(KickRequest, (), (viewerId, reason, seconds))

struct MuteRequest {
  IdField viewerId;
  std::optional<Reason> reason;
  Ranged<1, kMostRestraintSeconds> seconds;
};
BOOST_DESCRIBE_STRUCT(MuteRequest, (), (viewerId, reason, seconds))

struct TagsRequest {
  TagList tags;
};
BOOST_DESCRIBE_STRUCT(TagsRequest, (), (tags))

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

struct Ban {
  std::string reason;
  std::optional<Time> until;  ///< null: until it is lifted
};
BOOST_DESCRIBE_STRUCT(Ban, (), (reason, until))

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
  std::optional<Ban> ban;
};
BOOST_DESCRIBE_STRUCT(Room, (),
                      (id, anchorId, anchorName, title, category, tags, state, sessionId, viewers,
                       revenue, ban))

struct RoomSession {
  SessionId id;
  RoomId roomId;
  Time openedAt;
  std::optional<Time> closedAt;
  std::int64_t tips = 0;
  Fen revenue;
  std::optional<std::int64_t> peakViewers;  ///< null: not known of this session, as of chats, joins
  std::optional<std::int64_t> joins;
  std::optional<std::int64_t> chats;
};
BOOST_DESCRIBE_STRUCT(RoomSession, (),
                      (id, roomId, openedAt, closedAt, tips, revenue, peakViewers, joins, chats))

enum class RestraintKind { kick, mute };

/// Somebody who may not enter a room (a kick) or not speak there (a mute).
struct Restraint {
  RoomId roomId;
  ViewerId viewerId;
  std::optional<std::string> viewerName;  ///< null while the audience role cannot say
  std::optional<std::string> reason;
  Time until;
  Time createdAt;
  PrincipalKind by = PrincipalKind::anchor;
  std::int64_t byId = 0;
};
BOOST_DESCRIBE_STRUCT(Restraint, (),
                      (roomId, viewerId, viewerName, reason, until, createdAt, by, byId))

struct ShownChat {
  std::int64_t id = 0;
  SessionId sessionId;
  ViewerId viewerId;
  std::optional<std::string> viewerName;  ///< as of a restraint
  std::string text;
  Time at;
};
BOOST_DESCRIBE_STRUCT(ShownChat, (), (id, sessionId, viewerId, viewerName, text, at))

struct ShownPlace {
  std::int64_t rank = 0;
  std::optional<ViewerId> viewerId;  ///< null where the leaderboard policy masks names
  std::string name;
  Fen amount;
};
BOOST_DESCRIBE_STRUCT(ShownPlace, (), (rank, viewerId, name, amount))

/// The session under way; all 0 and null when there is none.
struct RoomStats {
  std::optional<SessionId> sessionId;
  std::optional<Time> since;
  std::int64_t viewers = 0;
  std::int64_t peakViewers = 0;
  std::int64_t joins = 0;
  std::int64_t chats = 0;
  std::optional<std::int64_t> tips;  ///< null, as revenue and top, while audience cannot say
  std::optional<Fen> revenue;
  std::optional<std::vector<ShownPlace>> top;  ///< null too where the policy hides the board
};
BOOST_DESCRIBE_STRUCT(RoomStats, (),
                      (sessionId, since, viewers, peakViewers, joins, chats, tips, revenue, top))

struct Stream {
  bool available = false;
};
BOOST_DESCRIBE_STRUCT(Stream, (), (available))

/// `viewers`: null while the audience role cannot say.
struct ShownTag {
  std::string tag;
  std::int64_t rooms = 0;
  std::optional<std::int64_t> viewers;
};
BOOST_DESCRIBE_STRUCT(ShownTag, (), (tag, rooms, viewers))

}  // namespace tipflow::anchor
