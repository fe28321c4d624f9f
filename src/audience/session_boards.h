// The boards of sessions under way, exact whichever node took the tips. A board is read from DB1
// once, and from then on follows the lanes: a lane's tips commit in the order of their numbers, so
// that what is behind a number is all that is new. The path of a tip has no part in it.
#pragma once

#include <drogon/utils/coroutine.h>

#include <unordered_map>
#include <unordered_set>

#include "audience/session_tally.h"
#include "audience/viewers.h"
#include "platform/db/database.h"
#include "platform/turns.h"

namespace tipflow::audience {

class SessionBoards {
 public:
  static constexpr int kMostPlaces = 100;
  static constexpr Duration kFresh{1 * kUsPerSecond};
  /// Nobody asked for so long: what is new is not followed, it is read as at first.
  static constexpr Duration kIdle{60 * kUsPerSecond};

  SessionBoards(db::Database& db1, ViewerDirectory& viewers, LeaderboardPolicy policy,
                const Clock& clock)
      : db1_(db1), viewers_(viewers), policy_(policy), clock_(clock) {}

  /// See AudienceClient::sessionTop. `limit`: at most kMostPlaces.
  drogon::Task<SessionBoard> top(RoomId room, SessionId session, Time openedAt, int limit,
                                 bool asOperator);

 private:
  struct Asked {
    RoomId room;
    SessionId session;
    Time openedAt;
  };
  /// A board as it was worked out last.
  struct Ready {
    TipSum sum;
    std::vector<BoardPlace> places;
    Time asOf;
  };
  void workOut(db::Connection& connection, const Asked& asked);
  void follow(db::Connection& connection);
  void followLane(db::Connection& connection, LaneId lane);
  void startOver(db::Connection& connection);

  db::Database& db1_;
  ViewerDirectory& viewers_;
  LeaderboardPolicy policy_;
  const Clock& clock_;
  // One at a time; all that is below is touched by nobody else.
  Turns working_;
  SessionTally tally_;
  std::unordered_set<LaneId> ended_;  // lanes that are counted to their end
  Time followedAt_;
  std::unordered_map<SessionId, Ready> ready_;
};

}  // namespace tipflow::audience
