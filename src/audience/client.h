// What other roles ask of the audience role: sums over its tips, who gave most, how many viewers
// carry a tag.
#pragma once

#include <drogon/utils/coroutine.h>

#include <map>
#include <optional>
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

/// One place of a board; equal amounts share a rank.
struct BoardPlace {
  std::int64_t rank = 0;
  ViewerId viewerId;
  std::string name;
  Fen amount;
};

/// Who gave most in one session, and its sums, all as they were at `asOf`.
struct SessionBoard {
  TipSum sum;
  std::optional<std::vector<BoardPlace>> top;  ///< nullopt: the policy shows it to operators alone
  Time asOf;
};

/// How many viewers carry a tag.
struct TagUse {
  std::string tag;
  std::int64_t count = 0;
};

inline constexpr std::size_t kFactsMost = 1'000;

/// Who a viewer is, for people.
struct ViewerFacts {
  ViewerId id;
  std::string name;
  std::vector<std::string> tags;
  bool disabled = false;
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
  /// The board of a session that opened at `openedAt`, at most a second old, exact at its `asOf`.
  /// `openedAt` bounds the search; Time{}: not known. `asOperator`: with every name; else as the
  /// leaderboard policy has it.
  virtual drogon::Task<SessionBoard> sessionTop(RoomId room, SessionId session, Time openedAt,
                                                int limit, bool asOperator) = 0;
  /// Tags that viewers carry, in byte order, beyond `after`, that hold `part` where it is given.
  virtual drogon::Task<std::vector<TagUse>> tagUse(std::optional<std::string> part,
                                                   std::string after, int limit) = 0;
  /// Those of `viewers` that exist, at most kFactsMost of them at once.
  virtual drogon::Task<std::vector<ViewerFacts>> viewerFacts(std::vector<ViewerId> viewers) = 0;
};

}  // namespace tipflow::audience
