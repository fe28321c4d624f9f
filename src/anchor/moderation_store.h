// Kicks, mutes and bans in DB1: SQL in, model types out.
#pragma once

#include <optional>
#include <vector>

#include "anchor/model.h"
#include "anchor/restraint_book.h"
#include "anchor/store.h"
#include "platform/db/connection.h"

namespace tipflow::anchor::store {

/// Ends the session that runs, if one does; a room that is banned already gets the new reason and
/// end. `done` when a session was ended, `already` when none ran.
Transition banRoom(db::Connection& connection, RoomId id, const Ban& ban, Time now);
/// The room is off. `already` when it was not banned.
Transition liftBan(db::Connection& connection, RoomId id);

/// One that stands already gives way.
void restrain(db::Connection& connection, RestraintKind kind, const Restraint& restraint);
/// False when there was none.
bool release(db::Connection& connection, RestraintKind kind, RoomId room, ViewerId viewer);
/// The one that stands, over or not.
std::optional<Restraint> restraint(db::Connection& connection, RestraintKind kind, RoomId room,
                                   ViewerId viewer);
/// Where a page ended.
struct RestraintPlace {
  Time createdAt;
  ViewerId viewer;
};
/// Those that hold at `now`, newest first.
std::vector<Restraint> restraints(db::Connection& connection, RestraintKind kind, RoomId room,
                                  Time now, std::optional<RestraintPlace> after, int limit);

/// Both kinds together, as the directory has them.
RestraintState restraint(db::Connection& connection, RoomId room, ViewerId viewer);
/// All that hold at `now`.
std::vector<RestraintBook::Entry> restraints(db::Connection& connection, Time now);
/// Drops up to `limit` of each kind that were over before `before`; says how many.
std::int64_t dropRestraints(db::Connection& connection, Time before, int limit);

}  // namespace tipflow::anchor::store
