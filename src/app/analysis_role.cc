#include "app/analysis_role.h"

#include "analysis/association_round.h"
#include "analysis/jobs.h"
#include "analysis/routes.h"
#include "analysis/tag_routes.h"

namespace tipflow::app {

void AnalysisRole::makeClient(const anchor::AnchorClient* anchors) {
  client_ = std::make_unique<analysis::LocalAnalysis>(ground_.db2, anchors);
}

void AnalysisRole::build(const Clients& clients) {
  auto& g = ground_;
  clients_ = clients;
  reports_ = std::make_unique<analysis::Reports>(g.db2, g.clock, g.businessTime, clients.anchors);
  service_ = std::make_unique<analysis::Service>(g.db2, g.clock, clients.audience);
  analysis::addRoutes(g.router, *reports_, *service_);
  tags_ = std::make_unique<analysis::TagService>(g.db2, g.clock, clients.anchors, clients.audience);
  analysis::addTagRoutes(g.router, *tags_);
  internal_ = std::make_unique<analysis::InternalRoutes>(*client_);
  internal_->addTo(g.router);
}

std::vector<schedule::JobSpec> AnalysisRole::jobs() {
  const auto& config = ground_.config;
  const analysis::JobIntervals intervals{Duration{config.jobsHourlySeconds * kUsPerSecond},
                                         Duration{config.jobsRoundSeconds * kUsPerSecond}};
  auto jobs = analysis::jobs(ground_.db2, ground_.businessTime, intervals);
  jobs.push_back(
      analysis::associationJob(ground_.db2, intervals.round, clients_.anchors, clients_.audience));
  return jobs;
}

}  // namespace tipflow::app
