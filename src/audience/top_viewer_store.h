// The tables `top_viewer` and `top_viewer_progress` in DB1: SQL in, types out.
#pragma once

#include <vector>

#include "audience/leaderboard.h"
#include "platform/db/connection.h"

namespace tipflow::audience::store {

/// A lane that holds a tip which is not counted: that with the number behind `counted`.
struct LaneBehind {
  LaneId lane;
  LaneSeq counted;
};
/// Without `all`, lanes that were settled whole and counted whole are not looked at.
std::vector<LaneBehind> lanesBehind(db::Connection& connection, bool all);

/// How far a lane was counted by one step.
struct Counted {
  std::int64_t tips = 0;
  bool more = false;  ///< there may be more to count
  bool hole = false;  ///< the next number is missing and later ones are there: nothing is skipped
};
/// Counts at most `most` tips behind those that are counted already; in one transaction, which also
/// moves the progress.
Counted countTips(db::Connection& connection, LaneId lane, std::size_t most);

/// Who gave the anchor most, larger amounts first, equal ones by viewer.
std::vector<ViewerSum> topViewers(db::Connection& connection, AnchorId anchor, int limit);

}  // namespace tipflow::audience::store
