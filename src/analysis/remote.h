// AnalysisClient for nodes without the role: asks nodes that have it, over HTTP.
#pragma once

#include "analysis/client.h"
#include "platform/rpc/caller.h"

namespace tipflow::analysis {

/// Each throws db::Error when the role cannot be asked.
class RemoteAnalysis final : public AnalysisClient {
 public:
  explicit RemoteAnalysis(rpc::Caller& caller) : caller_(caller) {}

  drogon::Task<std::optional<Portrait>> portrait(ViewerId viewer) override;
  drogon::Task<std::map<ViewerId, Tier>> tiers(std::vector<ViewerId> viewers) override;
  drogon::Task<std::optional<Time>> countedBy(TipId tip) override;
  /// What is of unknown outcome is not told again: it may be noted.
  drogon::Task<> noteWatched(std::vector<Watched> watched) override;
  drogon::Task<std::int64_t> disagreement() override;

 private:
  rpc::Caller& caller_;
};

}  // namespace tipflow::analysis
