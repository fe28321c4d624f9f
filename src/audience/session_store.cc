#include "audience/session_store.h"

namespace tipflow::audience::store {
namespace {

constexpr const char* kLaneTips = R"(
  SELECT tip_id, session_id, viewer_id, amount FROM tip
  WHERE tip_id > ? AND tip_id <= ? ORDER BY tip_id LIMIT ?)";
constexpr const char* kGiven = R"(
  SELECT viewer_id, COUNT(*), SUM(amount) FROM tip
  WHERE room_id = ? AND accepted_at >= ? AND session_id = ? GROUP BY viewer_id)";

}  // namespace

std::vector<LaneStanding> laneStandings(db::Connection& connection) {
  std::vector<LaneStanding> lanes;
  connection.query("SELECT lane_id, state FROM writer_lane", {}, [&](const db::Row& row) {
    lanes.push_back(
        {row.id<LaneId>(0), static_cast<LaneState>(row.integer(1)) == LaneState::settled});
  });
  return lanes;
}

std::vector<LaneTip> laneTips(db::Connection& connection, LaneId lane, LaneSeq after,
                              std::size_t limit) {
  std::vector<LaneTip> tips;
  connection.query(kLaneTips,
                   {tipIdOf(lane, after), tipIdOf(lane, LaneSeq{kLaneSeqEnd - 1}), limit},
                   [&](const db::Row& row) {
                     tips.push_back({seqOf(row.id<TipId>(0)), row.id<SessionId>(1),
                                     row.id<ViewerId>(2), Fen{row.integer(3)}});
                   });
  return tips;
}

Time lastOfOthers(db::Connection& connection, RoomId room, SessionId session) {
  Time last;
  connection.query(
      "SELECT accepted_at FROM tip WHERE room_id = ? AND session_id <> ? "
      "ORDER BY accepted_at DESC LIMIT 1",
      {room, session}, [&](const db::Row& row) { last = row.time(0); });
  return last;
}

std::vector<Given> givenIn(db::Connection& connection, RoomId room, SessionId session, Time from) {
  std::vector<Given> given;
  connection.query(kGiven, {room, from, session}, [&](const db::Row& row) {
    given.push_back({row.id<ViewerId>(0), {row.integer(1), Fen{row.integer(2)}}});
  });
  return given;
}

}  // namespace tipflow::audience::store
