// The parts of the role analysis, put together.
#pragma once

#include <memory>
#include <vector>

#include "analysis/internal_routes.h"
#include "analysis/reports.h"
#include "analysis/service.h"
#include "analysis/tag_service.h"
#include "app/clients.h"
#include "app/ground.h"
#include "platform/schedule/scheduler.h"

namespace tipflow::app {

class AnalysisRole {
 public:
  explicit AnalysisRole(Ground& ground) : ground_(ground) {}

  /// What others of this node ask; before any role is built. `anchors` may be null.
  void makeClient(const anchor::AnchorClient* anchors);
  void build(const Clients& clients);
  /// For the scheduler of DB2.
  [[nodiscard]] std::vector<schedule::JobSpec> jobs();

  [[nodiscard]] analysis::AnalysisClient& client() { return *client_; }

 private:
  Ground& ground_;
  Clients clients_;
  std::unique_ptr<analysis::LocalAnalysis> client_;
  std::unique_ptr<analysis::Reports> reports_;
  std::unique_ptr<analysis::Service> service_;
  std::unique_ptr<analysis::TagService> tags_;
  std::unique_ptr<analysis::InternalRoutes> internal_;
};

}  // namespace tipflow::app
