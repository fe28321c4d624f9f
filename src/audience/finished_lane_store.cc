#include "audience/finished_lane_store.h"

#include <algorithm>
#include <set>

#include "audience/tip_store.h"

namespace tipflow::audience::store {
namespace {

// A tip of the session before may be accepted so long after this one began.
constexpr Duration kOverlap{60 * kUsPerSecond};
// A session's tips are the newest of its room: it is enough to look back to those of an earlier
// one.
constexpr const char* kNewestOfOthers = R"(
  SELECT accepted_at FROM tip WHERE room_id = ? AND session_id <> ?
  ORDER BY accepted_at DESC LIMIT 1)";
constexpr const char* kSum = R"(
  SELECT COUNT(*), COALESCE(SUM(amount), 0) FROM tip
  WHERE room_id = ? AND accepted_at >= ? AND session_id = ? AND tip_id < ?)";

Time beginOf(db::Connection& connection, const anchor::RoomCard& room) {
  Time begin{0};
  connection.query(kNewestOfOthers, {room.id, room.session},
                   [&](const db::Row& row) { begin = row.time(0) - kOverlap; });
  return begin;
}

TipSum sumOf(db::Connection& connection, const anchor::RoomCard& room,
             const wire::FinishedSums& finished) {
  const TipId end = tipIdOf(LaneId{finished.below.value + 1}, LaneSeq{0});
  std::vector<db::Param> params{room.id, beginOf(connection, room), room.session, end};
  std::string sql = kSum;
  for (const auto& lane : finished.except.items) {
    sql += " AND NOT (tip_id >= ? AND tip_id < ?)";
    params.emplace_back(tipIdOf(LaneId{lane.value}, LaneSeq{0}));
    params.emplace_back(tipIdOf(LaneId{lane.value + 1}, LaneSeq{0}));
  }
  TipSum sum;
  connection.query(sql, params,
                   [&](const db::Row& row) { sum = {row.integer(0), Fen{row.integer(1)}}; });
  return sum;
}

}  // namespace

wire::FinishedSums finishedLanes(db::Connection& connection, const std::string& node,
                                 const std::string& process, const std::vector<LaneId>& alive) {
  // In this order: a lane that is opened in between is not below.
  std::set<LaneId> gone;
  for (const auto& lane : orphanedLanes(connection, node, process)) {
    if (lane.state != LaneState::open) continue;
    if (!connectionAlive(connection, lane.connectionId)) gone.insert(lane.id);
  }
  wire::FinishedSums finished;
  std::int64_t all = 0;
  connection.query("SELECT COUNT(*), COALESCE(MAX(lane_id), 0) FROM writer_lane", {},
                   [&](const db::Row& row) {
                     all = row.integer(0);
                     finished.below = {row.integer(1)};
                   });
  std::set<LaneId> except(alive.begin(), alive.end());
  connection.query("SELECT lane_id FROM writer_lane WHERE state = 1", {}, [&](const db::Row& row) {
    const auto lane = row.id<LaneId>(0);
    if (!gone.contains(lane)) except.insert(lane);
  });
  std::erase_if(except, [&](LaneId lane) { return lane.value > finished.below.value; });
  for (const auto lane : except) finished.except.items.push_back({lane.value});
  finished.lanes = {all - static_cast<std::int64_t>(except.size())};
  return finished;
}

void addSums(db::Connection& connection, const std::vector<anchor::RoomCard>& live,
             wire::FinishedSums& finished) {
  for (const auto& room : live) {
    const auto sum = sumOf(connection, room, finished);
    if (sum.tips == 0) continue;
    finished.sums.items.push_back({{room.session.value}, {sum.tips}, {sum.amount.value}});
  }
}

}  // namespace tipflow::audience::store
