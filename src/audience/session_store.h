// What boards of sessions read from the lanes and tips in DB1.
#pragma once

#include <vector>

#include "audience/session_tally.h"
#include "audience/tip_store.h"
#include "platform/db/connection.h"

namespace tipflow::audience::store {

struct LaneStanding {
  LaneId lane;
  bool settled = false;  ///< it was closed, and all of it settled: nothing comes any more
};
/// Every lane there ever was.
std::vector<LaneStanding> laneStandings(db::Connection& connection);
/// The lane's tips after `after`, in number order.
std::vector<LaneTip> laneTips(db::Connection& connection, LaneId lane, LaneSeq after,
                              std::size_t limit);
/// When the newest tip of the room's other sessions was accepted; 0 when there is none.
Time lastOfOthers(db::Connection& connection, RoomId room, SessionId session);
/// What each viewer gave in the session; `from` bounds the search.
std::vector<Given> givenIn(db::Connection& connection, RoomId room, SessionId session, Time from);

}  // namespace tipflow::audience::store
