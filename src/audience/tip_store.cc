#include "audience/tip_store.h"

#include <fmt/format.h>

#include "platform/db/dialect.h"

namespace tipflow::audience::store {
namespace {

constexpr const char* kInsertTips = R"(INSERT INTO tip (tip_id, trace_id, viewer_id, room_id,
  anchor_id, session_id, amount, gift_id, gift_count, anchor_gender, viewer_gender, accepted_at,
  message))";
constexpr std::size_t kTipColumns = 13;
constexpr const char* kColumns = R"(
  SELECT tip_id, trace_id, viewer_id, room_id, anchor_id, session_id, amount, gift_id, gift_count,
         anchor_gender, viewer_gender, accepted_at, message
  FROM tip)";
constexpr const char* kLedgerTips = R"(
  SELECT tip_id, anchor_id, viewer_id, amount, anchor_gender, viewer_gender, accepted_at
  FROM tip WHERE tip_id > ? AND tip_id <= ? ORDER BY tip_id LIMIT ?)";
constexpr const char* kRangeSum = R"(
  SELECT COUNT(*), COALESCE(SUM(amount), 0), COALESCE(MIN(accepted_at), 0)
  FROM tip WHERE tip_id > ? AND tip_id <= ?)";
constexpr const char* kOrphans = R"(
  SELECT lane_id, node, connection_id, state FROM writer_lane
  WHERE state = 2 OR (state = 1 AND process <> ? AND (node = ? OR lease_until < ?)))";
constexpr const char* kLanes = R"(
  SELECT w.lane_id, w.node, w.state, s.seq, s.tips, s.amount
  FROM writer_lane w LEFT JOIN lane_seal s ON s.lane_id = w.lane_id ORDER BY w.lane_id)";

NumberedTip readTip(const db::Row& row) {
  NumberedTip tip;
  tip.id = row.id<TipId>(0);
  tip.tip.traceId = TraceId::fromBytes(row.text(1));
  tip.tip.viewer = row.id<ViewerId>(2);
  tip.tip.room = row.id<RoomId>(3);
  tip.tip.anchor = row.id<AnchorId>(4);
  tip.tip.session = row.id<SessionId>(5);
  tip.tip.amount = Fen{row.integer(6)};
  tip.tip.giftId = static_cast<std::int32_t>(row.integer(7));
  tip.tip.count = static_cast<std::int32_t>(row.integer(8));
  tip.tip.anchorGender = static_cast<Gender>(row.integer(9));
  tip.tip.viewerGender = static_cast<Gender>(row.integer(10));
  tip.acceptedAt = row.time(11);
  tip.tip.message = row.text(12);
  return tip;
}

TipId endOf(LaneId lane) { return tipIdOf(lane, LaneSeq{kLaneSeqEnd - 1}); }

struct RangeSum {
  TipSum sum;
  Time oldest;
};
RangeSum rangeSum(db::Connection& connection, LaneId lane, LaneSeq after, LaneSeq to) {
  RangeSum result;
  connection.query(kRangeSum, {tipIdOf(lane, after), tipIdOf(lane, to)}, [&](const db::Row& row) {
    result = {{row.integer(0), Fen{row.integer(1)}}, row.time(2)};
  });
  return result;
}

}  // namespace

void insertTips(db::Connection& connection, std::span<const NumberedTip> tips) {
  std::vector<db::Param> values;
  values.reserve(tips.size() * kTipColumns);
  for (const auto& [id, acceptedAt, tip] : tips) {
    values.insert(values.end(), {id, tip.traceId, tip.viewer, tip.room, tip.anchor, tip.session,
                                 tip.amount, tip.giftId, tip.count, tip.anchorGender,
                                 tip.viewerGender, acceptedAt, tip.message});
  }
  connection.insertRows(kInsertTips, kTipColumns, values, "");
}

std::vector<NumberedTip> tipsByTrace(db::Connection& connection,
                                     std::span<const TraceId> traceIds) {
  std::vector<NumberedTip> found;
  if (traceIds.empty()) return found;
  std::string sql = fmt::format("{} WHERE trace_id IN (?", kColumns);
  for (std::size_t i = 1; i < traceIds.size(); ++i) sql += ",?";
  sql += ")";
  const std::vector<db::Param> params(traceIds.begin(), traceIds.end());
  connection.query(sql, params, [&](const db::Row& row) { found.push_back(readTip(row)); });
  return found;
}

bool tipExists(db::Connection& connection, TipId id) {
  bool found = false;
  connection.query("SELECT 1 FROM tip WHERE tip_id = ?", {id},
                   [&](const db::Row&) { found = true; });
  return found;
}

std::optional<NumberedTip> tipByTrace(db::Connection& connection, const TraceId& traceId) {
  auto found = tipsByTrace(connection, {&traceId, 1});
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

std::vector<NumberedTip> tips(db::Connection& connection, const TipFilter& filter,
                              std::optional<TipPlace> after, int limit) {
  std::string sql = fmt::format("{} WHERE 1 = 1", kColumns);
  std::vector<db::Param> params;
  const auto narrow = [&](const char* condition, db::Param value) {
    sql += condition;
    params.push_back(value);
  };
  if (filter.room) narrow(" AND room_id = ?", *filter.room);
  if (filter.anchor) narrow(" AND anchor_id = ?", *filter.anchor);
  if (filter.viewer) narrow(" AND viewer_id = ?", *filter.viewer);
  if (filter.from) narrow(" AND accepted_at >= ?", *filter.from);
  if (filter.to) narrow(" AND accepted_at < ?", *filter.to);
  if (after) {
    narrow(" AND (accepted_at < ?", after->acceptedAt);
    narrow(" OR (accepted_at = ?", after->acceptedAt);
    narrow(" AND tip_id < ?))", after->id);
    narrow(" AND accepted_at <= ?", after->acceptedAt);  // what the index can use
  }
  narrow(" ORDER BY accepted_at DESC, tip_id DESC LIMIT ?", limit);
  std::vector<NumberedTip> found;
  connection.query(sql, params, [&](const db::Row& row) { found.push_back(readTip(row)); });
  return found;
}

TipSum sessionSum(db::Connection& connection, RoomId room, SessionId session, Time from,
                  Time until) {
  TipSum sum;
  connection.query(
      "SELECT COUNT(*), COALESCE(SUM(amount), 0) FROM tip "
      "WHERE room_id = ? AND accepted_at >= ? AND accepted_at <= ? AND session_id = ?",
      {room, from, until, session},
      [&](const db::Row& row) { sum = {row.integer(0), Fen{row.integer(1)}}; });
  return sum;
}

LaneId openLane(db::Connection& connection, const std::string& node, const std::string& process,
                Duration lease) {
  const Time now = connection.now();
  const LaneId lane{connection
                        .exec("INSERT INTO writer_lane (node, process, connection_id, state, "
                              "opened_at, lease_until) VALUES (?, ?, ?, 1, ?, ?)",
                              {node, process, connection.serverId(), now, now + lease})
                        .lastId};
  if (lane.value >= kLaneEnd) throw db::Error(0, "lane numbers are used up");
  return lane;
}

void renewLanes(db::Connection& connection, const std::string& process, Duration lease) {
  connection.exec("UPDATE writer_lane SET lease_until = ? WHERE state = 1 AND process = ?",
                  {connection.now() + lease, process});
}

void setLaneState(db::Connection& connection, LaneId lane, LaneState state, LaneSeq last) {
  connection.exec("UPDATE writer_lane SET state = ?, last_seq = ? WHERE lane_id = ?",
                  {state, last, lane});
}

std::vector<LaneRow> orphanedLanes(db::Connection& connection, const std::string& node,
                                   const std::string& process) {
  std::vector<LaneRow> lanes;
  const Time now = connection.now();
  connection.query(kOrphans, {process, node, now}, [&](const db::Row& row) {
    lanes.push_back({row.id<LaneId>(0), std::string(row.text(1)), row.integer(2),
                     static_cast<LaneState>(row.integer(3))});
  });
  return lanes;
}

std::vector<LaneId> finishedLanes(db::Connection& connection) {
  std::vector<LaneId> lanes;
  connection.query("SELECT lane_id FROM writer_lane WHERE state <> 1 ORDER BY lane_id", {},
                   [&](const db::Row& row) { lanes.push_back(row.id<LaneId>(0)); });
  return lanes;
}

LaneSeq lastSeq(db::Connection& connection, LaneId lane) {
  LaneSeq last;
  connection.query("SELECT MAX(tip_id) FROM tip WHERE tip_id > ? AND tip_id <= ?",
                   {tipIdOf(lane, LaneSeq{0}), endOf(lane)}, [&](const db::Row& row) {
                     if (!row.isNull(0)) last = seqOf(row.id<TipId>(0));
                   });
  return last;
}

std::vector<finance::LedgerTip> ledgerTips(db::Connection& connection, LaneId lane, LaneSeq after,
                                           std::size_t limit) {
  std::vector<finance::LedgerTip> tips;
  connection.query(kLedgerTips, {tipIdOf(lane, after), endOf(lane), limit},
                   [&](const db::Row& row) {
                     tips.push_back({row.id<TipId>(0), row.id<AnchorId>(1), row.id<ViewerId>(2),
                                     Fen{row.integer(3)}, static_cast<Gender>(row.integer(4)),
                                     static_cast<Gender>(row.integer(5)), row.time(6)});
                   });
  return tips;
}

bool connectionAlive(db::Connection& connection, std::int64_t connectionId) {
  if (connection.dialect() == db::Dialect::sqlite) return false;  // it died with its process
  bool alive = false;
  connection.query("SELECT 1 FROM information_schema.processlist WHERE id = ?", {connectionId},
                   [&](const db::Row&) { alive = true; });
  return alive;
}

void noteProgress(db::Connection& connection, LaneId lane, LaneSeq acknowledged, Time at,
                  const std::string& error) {
  const auto sql =
      "INSERT INTO sync_progress (lane_id, acknowledged_seq, at, last_error) VALUES (?, ?, ?, ?)" +
      db::upsertSet(connection.dialect(), "lane_id", {"acknowledged_seq", "at", "last_error"});
  connection.exec(sql, {lane, acknowledged, at, error});
}

LaneSeq noted(db::Connection& connection, LaneId lane) {
  LaneSeq seq;
  connection.query("SELECT acknowledged_seq FROM sync_progress WHERE lane_id = ?", {lane},
                   [&](const db::Row& row) { seq = row.id<LaneSeq>(0); });
  return seq;
}

std::vector<LaneSum> laneSums(db::Connection& connection, const std::map<LaneId, LaneSeq>& cursors,
                              std::vector<Seal>& advance) {
  std::vector<LaneSum> lanes;
  std::vector<Seal> seals;
  connection.query(kLanes, {}, [&](const db::Row& row) {
    LaneSum lane;
    lane.lane = row.id<LaneId>(0);
    lane.node = row.text(1);
    lane.open = row.integer(2) == 1;
    lanes.push_back(lane);
    seals.push_back(
        {lane.lane,
         LaneSeq{row.optionalInteger(3).value_or(0)},
         {row.optionalInteger(4).value_or(0), Fen{row.optionalInteger(5).value_or(0)}}});
  });
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    auto& lane = lanes[i];
    auto& seal = seals[i];
    const LaneSeq last = lastSeq(connection, lane.lane);
    if (last > seal.seq) {
      const auto added = rangeSum(connection, lane.lane, seal.seq, last);
      const bool whole = added.sum.tips == last.value - seal.seq.value;
      seal.seq = last;
      seal.sum.tips += added.sum.tips;
      seal.sum.amount += added.sum.amount;
      // A lane has no holes: a sum that counts fewer tips than numbers is told as it is, and never
      // kept, so that tips which are seen later are not missing for ever.
      if (whole) advance.push_back(seal);
    }
    lane.all = seal.sum;
    const auto cursor = cursors.find(lane.lane);
    const LaneSeq settled = cursor == cursors.end() ? LaneSeq{0} : cursor->second;
    if (last > settled) {
      const auto above = rangeSum(connection, lane.lane, settled, last);
      lane.aboveCursor = above.sum;
      lane.oldestAbove = above.oldest;
    }
  }
  return lanes;
}

void keepSeals(db::Connection& connection, const std::vector<Seal>& seals) {
  if (seals.empty()) return;
  // Two readers may advance one lane to different places: the sums belong to the number, so both
  // columns move together and any of the two is right.
  std::vector<db::Param> values;
  for (const auto& seal : seals) {
    values.insert(values.end(), {seal.lane, seal.seq, seal.sum.tips, seal.sum.amount});
  }
  connection.insertRows("INSERT INTO lane_seal (lane_id, seq, tips, amount)", 4, values,
                        db::upsertSet(connection.dialect(), "lane_id", {"seq", "tips", "amount"}));
}

}  // namespace tipflow::audience::store
