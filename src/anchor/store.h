// The anchor role's tables in DB1: SQL in, model types out. Synchronous, on a connection it is
// given.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "anchor/model.h"
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
  RoomCard room;
};

struct RoomFilter {
  std::optional<RoomState> state;
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

std::optional<Room> room(db::Connection& connection, RoomId id);
std::vector<Room> rooms(db::Connection& connection, const RoomFilter& filter, std::int64_t before,
                        int limit);
/// Every room, or only `one`, with its anchor.
std::vector<Cards> cards(db::Connection& connection, std::optional<RoomId> one);

enum class Transition { done, already, notFound, banned };
/// Opens the room and starts a session, unless one is open.
Transition openRoom(db::Connection& connection, RoomId id, Time now);
/// Closes the room and its session.
Transition closeRoom(db::Connection& connection, RoomId id, Time now);

/// A session with its sums, where they were kept already.
struct StoredSession {
  RoomSession session;
  bool summed = false;
};
std::vector<StoredSession> sessions(db::Connection& connection, RoomId room, std::int64_t before,
                                    int limit);
void keepSums(db::Connection& connection, SessionId session, std::int64_t tips, Fen revenue);

}  // namespace tipflow::anchor::store
