#include "app/anchor_role.h"

#include "anchor/jobs.h"
#include "anchor/moderation_routes.h"
#include "anchor/routes.h"

namespace tipflow::app {

void AnchorRole::build(const Clients& clients, Accounts& accounts) {
  auto& g = ground_;
  directory_.measure(g.metrics.cache("rooms"));
  const anchor::Neighbours neighbours{clients.finance, clients.audience, clients.live};
  service_ = std::make_unique<anchor::Service>(g.db1, directory_, g.passwords, g.clock, neighbours);
  moderation_ = std::make_unique<anchor::Moderation>(g.db1, directory_, g.clock, clients.audience);
  statistics_ = std::make_unique<anchor::Statistics>(g.db1, directory_, neighbours);
  anchor::addRoutes(g.router, *service_, *statistics_);
  anchor::addModerationRoutes(g.router, *service_, *moderation_);
  internal_ = std::make_unique<anchor::InternalRoutes>(g.db1, *moderation_, g.clock);
  internal_->addTo(g.router);
  accounts[PrincipalKind::anchor] = service_.get();
}

std::vector<schedule::JobSpec> AnchorRole::jobs() {
  return anchor::jobs(ground_.db1, ground_.config.chatDays);
}

}  // namespace tipflow::app
