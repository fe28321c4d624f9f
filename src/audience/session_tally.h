// Who gave how much in the sessions that are asked about, kept up to date tip by tip. Pure: it is
// told what stands in the lanes, in the order of their numbers, and counts each tip once.
#pragma once

#include <unordered_map>
#include <vector>

#include "audience/client.h"
#include "audience/leaderboard.h"

namespace tipflow::audience {

/// A tip, as far as a board needs it.
struct LaneTip {
  LaneSeq seq;
  SessionId session;
  ViewerId viewer;
  Fen amount;
};

/// What one viewer gave in one session.
struct Given {
  ViewerId viewer;
  TipSum sum;
};

class SessionTally {
 public:
  /// As if nothing had ever been told.
  void clear();

  /// Up to which number the lane is counted, or was when counting began.
  [[nodiscard]] LaneSeq mark(LaneId lane) const;
  void setMark(LaneId lane, LaneSeq seq) { marks_[lane] = seq; }
  /// The lane's next tips, in number order, up to the first number that is missing. Those of
  /// sessions that nobody asks about are only passed by.
  void take(LaneId lane, const std::vector<LaneTip>& tips);

  /// From now on the session is counted. `soFar`: all that the marked parts of the lanes hold of
  /// it.
  void begin(SessionId session, const std::vector<Given>& soFar, Time now);
  [[nodiscard]] bool counts(SessionId session) const { return sessions_.contains(session); }
  /// Sessions that nobody has asked about since `since` are not counted any more.
  void dropUnasked(Time since);

  [[nodiscard]] TipSum sum(SessionId session) const;
  /// As boardOf; notes that the session was asked about.
  [[nodiscard]] std::vector<BoardPlace> top(SessionId session, std::size_t limit, Time now);

 private:
  struct Session {
    TipSum sum;
    std::unordered_map<ViewerId, Fen> given;
    Time askedAt;
  };

  std::unordered_map<LaneId, LaneSeq> marks_;
  std::unordered_map<SessionId, Session> sessions_;
};

}  // namespace tipflow::audience
