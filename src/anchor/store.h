// The anchor role's tables in DB1: SQL in, model types out. Synchronous, on a connection it is
// given.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "anchor/model.h"
#include "audience/client.h"
#include "platform/db/connection.h"
#include "platform/sign_in.h"

namespace tipflow::anchor::store {

struct NewAnchor {
  std::string name;
  std::string passwordHash;
  Gender gender = Gender::unknown;
  std::int64_t age = 0;
  std::string region;
  std::string category;
  std::vector<std::string> tags;
  Time createdAt;
};

/// What a room and its anchor are to the rest of the system.
struct Cards {
  AnchorCard anchor;
  RoomCard room;  ///< with the state as it is stored: a ban may be over
  std::optional<Time> bannedUntil;
  std::vector<std::string> tags;
};

struct RoomFilter {
  std::optional<RoomState> state;
  Time now;  ///< by which bans are over or not
  std::optional<std::string> category;
  std::optional<std::string> tag;
  std::optional<AnchorId> anchor;
};

/// Inserts the anchor and the room. Throws db::DuplicateKey when the name is taken.
AnchorId insertAnchor(db::Connection& connection, const NewAnchor& anchor);
/// Applies what is set. False when there is no such anchor; throws db::DuplicateKey for a taken
/// name.
bool changeAnchor(db::Connection& connection, AnchorId id, const ChangeAnchor& change,
                  const std::optional<std::string>& passwordHash);
bool changeRoom(db::Connection& connection, RoomId id, const ChangeRoom& change);

std::optional<Anchor> anchor(db::Connection& connection, AnchorId id);
/// Newest first, ids below `before`, names that hold `namePart`.
std::vector<Anchor> anchors(db::Connection& connection, const std::optional<std::string>& namePart,
                            std::int64_t before, int limit);
std::optional<Account> account(db::Connection& connection, const std::string& name);

/// Rooms come with the state as it is stored, and their ban: it may be over.
std::optional<Room> room(db::Connection& connection, RoomId id);
std::vector<Room> rooms(db::Connection& connection, const RoomFilter& filter, std::int64_t before,
                        int limit);
/// Every room, or only `one`, with its anchor.
std::vector<Cards> cards(db::Connection& connection, std::optional<RoomId> one);

/// Tags that rooms carry, in byte order, beyond `after`, that hold `part` where it is given.
std::vector<audience::TagUse> tagUse(db::Connection& connection,
                                     const std::optional<std::string>& part,
                                     const std::string& after, int limit);

enum class Transition { done, already, notFound, banned };
/// Opens the room and starts a session, unless one is open. A ban that is over by `now` goes.
Transition openRoom(db::Connection& connection, RoomId id, Time now);
/// Closes the room and its session.
Transition closeRoom(db::Connection& connection, RoomId id, Time now);

/// The room's state and session, locked against a concurrent change until the transaction ends.
struct LockedRoom {
  RoomState state = RoomState::off;
  std::optional<SessionId> session;
  std::optional<Time> bannedUntil;
};
std::optional<LockedRoom> lockRoom(db::Connection& connection, RoomId id);
void endSession(db::Connection& connection, SessionId session, Time now);

/// How many watched a session and spoke in it; any later session had nobody yet.
struct Attendance {
  SessionId session;
  std::int64_t peakViewers = 0;
  std::int64_t joins = 0;
  std::int64_t chats = 0;
};
/// Of a session that has just been closed; what was kept first stays.
void keepAttendance(db::Connection& connection, const Attendance& attendance);

/// Runs `end`, which may end the room's session, and keeps who watched that session, where it is
/// known; all in the caller's transaction.
template <class End>
Transition ending(db::Connection& connection, RoomId id,
                  const std::optional<Attendance>& attendance, End&& end) {
  const auto before = lockRoom(connection, id);
  const Transition outcome = end();
  if (outcome == Transition::done && before && before->session && attendance) {
    const bool its = attendance->session == *before->session;
    keepAttendance(connection, its ? *attendance : Attendance{.session = *before->session});
  }
  return outcome;
}

/// A session with its sums, where they were kept already.
struct StoredSession {
  RoomSession session;
  bool summed = false;
};
std::optional<RoomSession> session(db::Connection& connection, SessionId id);
std::vector<StoredSession> sessions(db::Connection& connection, RoomId room, std::int64_t before,
                                    int limit);
void keepSums(db::Connection& connection, SessionId session, std::int64_t tips, Fen revenue);

}  // namespace tipflow::anchor::store
