// AudienceClient for nodes without the role: sums of open sessions from memory, as the bus tells
// them; everything else asked of nodes that have the role.
#pragma once

#include "audience/client.h"
#include "audience/session_sums.h"
#include "platform/rpc/caller.h"

namespace tipflow::audience {

class RemoteAudience final : public AudienceClient {
 public:
  /// `sums`: kept up to date by `listenTo` (sum_reporter.h).
  RemoteAudience(rpc::Caller& caller, const SessionSums& sums) : caller_(caller), sums_(sums) {}

  drogon::Task<std::vector<LaneSum>> laneSums(std::map<LaneId, LaneSeq> cursors) override;
  drogon::Task<TipSum> sessionSum(RoomId room, SessionId session, Time from, Time until) override;
  [[nodiscard]] TipSum liveSum(SessionId session) const override { return sums_.of(session); }
  drogon::Task<SessionBoard> sessionTop(RoomId room, SessionId session, Time openedAt, int limit,
                                        bool asOperator) override;
  drogon::Task<std::vector<TagUse>> tagUse(std::optional<std::string> part, std::string after,
                                           int limit) override;
  drogon::Task<std::vector<ViewerFacts>> viewerFacts(std::vector<ViewerId> viewers) override;

 private:
  rpc::Caller& caller_;
  const SessionSums& sums_;
};

}  // namespace tipflow::audience
