// The analysis role's use cases but for reports: portraits, tiers, rounds; and what other roles ask
// of it.
#pragma once

#include "analysis/client.h"
#include "analysis/model.h"
#include "analysis/viewer_names.h"
#include "anchor/client.h"
#include "audience/client.h"
#include "platform/db/database.h"
#include "platform/http/call.h"

namespace tipflow::analysis {

/// AnalysisClient for roles of the same node.
class LocalAnalysis final : public AnalysisClient {
 public:
  /// `anchors` null: whose room was watched cannot be told, and is not kept.
  LocalAnalysis(db::Database& db2, const anchor::AnchorClient* anchors)
      : db2_(db2), anchors_(anchors) {}
  drogon::Task<std::optional<Portrait>> portrait(ViewerId viewer) override;
  drogon::Task<std::map<ViewerId, Tier>> tiers(std::vector<ViewerId> viewers) override;
  drogon::Task<std::optional<Time>> countedBy(TipId tip) override;
  drogon::Task<> noteWatched(std::vector<Watched> watched) override;
  drogon::Task<std::int64_t> disagreement() override;

 private:
  db::Database& db2_;
  const anchor::AnchorClient* anchors_;
};

class Service {
 public:
  /// `audience` may be null: the role is away, and ids stand for names.
  Service(db::Database& db2, const Clock& clock, audience::AudienceClient* audience)
      : db2_(db2), names_(audience, clock) {}

  /// Fails with viewer_not_found when the audience role says so.
  drogon::Task<Result<ShownPortrait>> portrait(ViewerId viewer, bool chinese);
  drogon::Task<Tiers> tiers();
  drogon::Task<http::Page<ShownRound>> rounds(std::int64_t before, int limit);
  /// Has a round run out of turn. Fails with role_unavailable where no node runs rounds.
  drogon::Task<Result<AskedRound>> askRound();

 private:
  db::Database& db2_;
  ViewerNames names_;
};

}  // namespace tipflow::analysis
