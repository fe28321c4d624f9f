#include "anchor/moderation_store.h"

#include <fmt/format.h>

#include <map>

#include "platform/db/dialect.h"

namespace tipflow::anchor::store {
namespace {

constexpr const char* kColumns =
    "SELECT room_id, viewer_id, until_at, reason, by_kind, by_id, created_at FROM";

const char* tableOf(RestraintKind kind) {
  switch (kind) {
    case RestraintKind::kick:
      return "room_kick";
    case RestraintKind::mute:
      return "room_mute";
  }
  return "room_kick";
}

Restraint readRestraint(const db::Row& row) {
  Restraint restraint;
  restraint.roomId = row.id<RoomId>(0);
  restraint.viewerId = row.id<ViewerId>(1);
  restraint.until = row.time(2);
  if (!row.text(3).empty()) restraint.reason = row.text(3);
  restraint.by = static_cast<PrincipalKind>(row.integer(4));
  restraint.byId = row.integer(5);
  restraint.createdAt = row.time(6);
  return restraint;
}

std::int64_t dropSome(db::Connection& connection, const char* table, Time before, int limit) {
  std::vector<std::pair<std::int64_t, std::int64_t>> over;
  connection.query(
      fmt::format("SELECT room_id, viewer_id FROM {} WHERE until_at < ? LIMIT ?", table),
      {before, limit},
      [&](const db::Row& row) { over.emplace_back(row.integer(0), row.integer(1)); });
  std::int64_t dropped = 0;
  for (const auto& [room, viewer] : over) {
    // It may have been renewed since it was read.
    dropped += connection
                   .exec(fmt::format("DELETE FROM {} WHERE room_id = ? AND viewer_id = ? AND "
                                     "until_at < ?",
                                     table),
                         {room, viewer, before})
                   .matched;
  }
  return dropped;
}

}  // namespace

Transition banRoom(db::Connection& connection, RoomId id, const Ban& ban, Time now) {
  const auto room = lockRoom(connection, id);
  if (!room) return Transition::notFound;
  connection.exec(
      "UPDATE room SET state = ?, session_id = NULL, banned_until = ?, ban_reason = ? WHERE id = ?",
      {RoomState::banned, ban.until, ban.reason, id});
  if (!room->session) return Transition::already;
  endSession(connection, *room->session, now);
  return Transition::done;
}

Transition liftBan(db::Connection& connection, RoomId id) {
  const auto room = lockRoom(connection, id);
  if (!room) return Transition::notFound;
  if (room->state != RoomState::banned) return Transition::already;
  connection.exec("UPDATE room SET state = ?, banned_until = NULL, ban_reason = NULL WHERE id = ?",
                  {RoomState::off, id});
  return Transition::done;
}

void restrain(db::Connection& connection, RestraintKind kind, const Restraint& r) {
  connection.exec(
      fmt::format("INSERT INTO {} (room_id, viewer_id, until_at, reason, by_kind, by_id, "
                  "created_at) VALUES (?, ?, ?, ?, ?, ?, ?){}",
                  tableOf(kind),
                  db::upsertSet(connection.dialect(), "room_id, viewer_id",
                                {"until_at", "reason", "by_kind", "by_id", "created_at"})),
      {r.roomId, r.viewerId, r.until, r.reason.value_or(std::string{}), r.by, r.byId, r.createdAt});
}

bool release(db::Connection& connection, RestraintKind kind, RoomId room, ViewerId viewer) {
  return connection
             .exec(fmt::format("DELETE FROM {} WHERE room_id = ? AND viewer_id = ?", tableOf(kind)),
                   {room, viewer})
             .matched == 1;
}

std::optional<Restraint> restraint(db::Connection& connection, RestraintKind kind, RoomId room,
                                   ViewerId viewer) {
  std::optional<Restraint> found;
  connection.query(
      fmt::format("{} {} WHERE room_id = ? AND viewer_id = ?", kColumns, tableOf(kind)),
      {room, viewer}, [&](const db::Row& row) { found = readRestraint(row); });
  return found;
}

std::vector<Restraint> restraints(db::Connection& connection, RestraintKind kind, RoomId room,
                                  Time now, std::optional<RestraintPlace> after, int limit) {
  std::string sql =
      fmt::format("{} {} WHERE room_id = ? AND until_at > ?", kColumns, tableOf(kind));
  std::vector<db::Param> params{room, now};
  if (after) {
    sql += " AND (created_at < ? OR (created_at = ? AND viewer_id < ?))";
    params.insert(params.end(), {after->createdAt, after->createdAt, after->viewer});
  }
  sql += " ORDER BY created_at DESC, viewer_id DESC LIMIT ?";
  params.emplace_back(limit);
  std::vector<Restraint> found;
  connection.query(sql, params, [&](const db::Row& row) { found.push_back(readRestraint(row)); });
  return found;
}

RestraintState restraint(db::Connection& connection, RoomId room, ViewerId viewer) {
  RestraintState state;
  if (const auto kick = restraint(connection, RestraintKind::kick, room, viewer)) {
    state.kickedUntil = kick->until;
  }
  if (const auto mute = restraint(connection, RestraintKind::mute, room, viewer)) {
    state.mutedUntil = mute->until;
  }
  return state;
}

std::vector<RestraintBook::Entry> restraints(db::Connection& connection, Time now) {
  std::map<std::pair<RoomId, ViewerId>, RestraintState> states;
  const auto each = [&](RestraintKind kind, auto note) {
    connection.query(fmt::format("SELECT room_id, viewer_id, until_at FROM {} WHERE until_at > ?",
                                 tableOf(kind)),
                     {now}, [&](const db::Row& row) {
                       note(states[{row.id<RoomId>(0), row.id<ViewerId>(1)}], row.time(2));
                     });
  };
  each(RestraintKind::kick, [](RestraintState& state, Time until) { state.kickedUntil = until; });
  each(RestraintKind::mute, [](RestraintState& state, Time until) { state.mutedUntil = until; });
  std::vector<RestraintBook::Entry> all;
  for (const auto& [key, state] : states) all.push_back({key.first, key.second, state});
  return all;
}

std::int64_t dropRestraints(db::Connection& connection, Time before, int limit) {
  return dropSome(connection, "room_kick", before, limit) +
         dropSome(connection, "room_mute", before, limit);
}

}  // namespace tipflow::anchor::store
