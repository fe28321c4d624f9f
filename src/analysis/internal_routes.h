// What analysis answers other nodes: portraits, tiers, what is counted, whether its sums agree; and
// what it is told of who watched.
#pragma once

#include "analysis/client.h"
#include "platform/http/router.h"

namespace tipflow::analysis {

class InternalRoutes {
 public:
  /// `analysis`: this node's own.
  explicit InternalRoutes(AnalysisClient& analysis) : analysis_(analysis) {}

  void addTo(http::Router& router);

 private:
  http::Task<http::ResponsePtr> portrait(http::Call& call);
  http::Task<http::ResponsePtr> tiers(http::Call& call);
  http::Task<http::ResponsePtr> countedBy(http::Call& call);
  http::Task<http::ResponsePtr> noteWatched(http::Call& call);
  http::Task<http::ResponsePtr> disagreement(http::Call& call);

  AnalysisClient& analysis_;
};

}  // namespace tipflow::analysis
