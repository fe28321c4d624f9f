// Who gave an anchor most, over all time: counted by a job, each tip once, and asked for here.
#pragma once

#include <drogon/utils/coroutine.h>

#include "anchor/client.h"
#include "audience/leaderboard.h"
#include "audience/viewers.h"
#include "base/result.h"
#include "platform/db/database.h"
#include "platform/schedule/scheduler.h"

namespace tipflow::audience {

inline constexpr const char* kTopViewersJob = "top_viewers";

/// The board of an anchor, and the instant up to which it is complete: every tip that was committed
/// before counts. No instant before the first run of the job.
struct TopViewersBoard {
  std::vector<BoardPlace> places;
  std::optional<Time> asOf;
};

class TopViewers {
 public:
  /// `anchors` may be null: that role is away, and an anchor that nobody gave anything has no place
  /// to be unknown in.
  TopViewers(db::Database& db1, ViewerDirectory& viewers, const anchor::AnchorClient* anchors,
             LeaderboardPolicy policy)
      : db1_(db1), viewers_(viewers), anchors_(anchors), policy_(policy) {}

  /// Refused where the policy shows it to operators alone.
  drogon::Task<Result<TopViewersBoard>> top(AnchorId anchor, int limit, bool asOperator);

 private:
  db::Database& db1_;
  ViewerDirectory& viewers_;
  const anchor::AnchorClient* anchors_;
  LeaderboardPolicy policy_;
};

/// The job: counts what was committed since. Its cost grows with the new tips, and a little with
/// the lanes that are not settled yet.
class TopViewersJob {
 public:
  void run(schedule::Run& run);

 private:
  int runs_ = 0;
};

}  // namespace tipflow::audience
