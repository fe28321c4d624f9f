// What other roles ask of the audience role: sums over its tips.
#pragma once

#include <drogon/utils/coroutine.h>

#include <map>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/money.h"
#include "base/time.h"

namespace tipflow::audience {

struct TipSum {
  std::int64_t tips = 0;
  Fen amount;
};

/// What DB1 holds of one lane.
struct LaneSum {
  LaneId lane;
  std::string node;
  bool open = false;
  TipSum all;          ///< every committed tip of the lane
  TipSum aboveCursor;  ///< those above the cursor that was asked with
  Time newest;         ///< acceptedAt of the newest tip; 0 when there is none
  Time oldestAbove;    ///< acceptedAt of the oldest tip above the cursor; 0 when there is none
};

class AudienceClient {
 public:
  virtual ~AudienceClient() = default;
  /// The sums of every lane there ever was, in one snapshot. `cursors`: what finance has settled.
  virtual drogon::Task<std::vector<LaneSum>> laneSums(std::map<LaneId, LaneSeq> cursors) = 0;
  /// Exact sums of one session of a room; `until` bounds the search.
  virtual drogon::Task<TipSum> sessionSum(RoomId room, SessionId session, Time from,
                                          Time until) = 0;
  /// Running sum of a session that is open now.
  [[nodiscard]] virtual TipSum liveSum(SessionId session) const = 0;
};

}  // namespace tipflow::audience
