#include "audience/top_viewer_store.h"

#include <map>
#include <string>
#include <utility>

#include "platform/db/dialect.h"

namespace tipflow::audience::store {
namespace {

// A lane has no holes, so it has tips to count exactly when the next number is there: one look-up
// by key a lane, however many tips it has.
constexpr const char* kLanes = R"(
  SELECT w.lane_id, COALESCE(p.seq, 0),
         (SELECT 1 FROM tip t WHERE t.tip_id = w.lane_id * 8589934592 + COALESCE(p.seq, 0) + 1)
  FROM writer_lane w LEFT JOIN top_viewer_progress p ON p.lane_id = w.lane_id)";
static_assert(kLaneSeqEnd == 8'589'934'592);
constexpr const char* kUnfinished = R"(
  WHERE w.state <> 3 OR w.last_seq > COALESCE(p.seq, 0))";
constexpr const char* kTips = R"(
  SELECT tip_id, anchor_id, viewer_id, amount FROM tip
  WHERE tip_id > ? AND tip_id < ? ORDER BY tip_id LIMIT ?)";
constexpr const char* kTop = R"(
  SELECT viewer_id, amount FROM top_viewer WHERE anchor_id = ?
  ORDER BY amount DESC, viewer_id LIMIT ?)";

/// Sums by anchor and viewer, in the order of the key: so two writers never wait for each other.
using Sums = std::map<std::pair<AnchorId, ViewerId>, TipSum>;

LaneSeq progress(db::Connection& connection, LaneId lane) {
  LaneSeq seq;
  connection.query("SELECT seq FROM top_viewer_progress WHERE lane_id = ?", {lane},
                   [&](const db::Row& row) { seq = row.id<LaneSeq>(0); });
  return seq;
}

void setProgress(db::Connection& connection, LaneId lane, LaneSeq seq) {
  connection.exec("INSERT INTO top_viewer_progress (lane_id, seq) VALUES (?, ?)" +
                      db::upsertSet(connection.dialect(), "lane_id", {"seq"}),
                  {lane, seq});
}

void addSums(db::Connection& connection, const Sums& sums) {
  std::vector<db::Param> values;
  values.reserve(sums.size() * 4);
  for (const auto& [key, sum] : sums) {
    values.insert(values.end(), {key.first, key.second, sum.amount, sum.tips});
  }
  connection.insertRows(
      "INSERT INTO top_viewer (anchor_id, viewer_id, amount, tips)", 4, values,
      db::upsertAdd(connection.dialect(), "anchor_id, viewer_id", {"amount", "tips"}));
}

}  // namespace

std::vector<LaneBehind> lanesBehind(db::Connection& connection, bool all) {
  std::vector<LaneBehind> lanes;
  connection.query(std::string(kLanes) + (all ? "" : kUnfinished), {}, [&](const db::Row& row) {
    if (!row.isNull(2)) lanes.push_back({row.id<LaneId>(0), row.id<LaneSeq>(1)});
  });
  return lanes;
}

Counted countTips(db::Connection& connection, LaneId lane, std::size_t most) {
  const LaneSeq from = progress(connection, lane);
  LaneSeq to = from;
  Sums sums;
  Counted counted;
  connection.query(kTips, {tipIdOf(lane, from), tipIdOf(LaneId{lane.value + 1}, LaneSeq{0}), most},
                   [&](const db::Row& row) {
                     const auto seq = seqOf(row.id<TipId>(0));
                     counted.hole = counted.hole || seq.value != to.value + 1;
                     if (counted.hole) return;
                     to = seq;
                     auto& sum = sums[{row.id<AnchorId>(1), row.id<ViewerId>(2)}];
                     ++sum.tips;
                     sum.amount += Fen{row.integer(3)};
                   });
  counted.tips = to.value - from.value;
  counted.more = counted.tips == static_cast<std::int64_t>(most);
  if (counted.tips == 0) return counted;
  addSums(connection, sums);
  setProgress(connection, lane, to);
  return counted;
}

std::vector<ViewerSum> topViewers(db::Connection& connection, AnchorId anchor, int limit) {
  std::vector<ViewerSum> top;
  connection.query(kTop, {anchor, limit}, [&](const db::Row& row) {
    top.push_back({row.id<ViewerId>(0), Fen{row.integer(1)}});
  });
  return top;
}

}  // namespace tipflow::audience::store
