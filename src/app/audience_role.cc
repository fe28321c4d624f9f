#include "app/audience_role.h"

#include <drogon/HttpAppFramework.h>

#include <thread>

#include "app/node_metrics.h"
#include "audience/jobs.h"
#include "audience/routes.h"
#include "audience/top_viewer_routes.h"
#include "platform/log.h"

namespace tipflow::app {
namespace {

constexpr unsigned kCoresForTwoLanes = 4;

// SQLite has one writer. On few cores one lane's larger statements cost a server less than two
// lanes' overlapping ones (docs/decisions/0004-where-the-time-of-a-tip-goes.md).
int defaultLanes(db::Dialect dialect) {
  if (dialect == db::Dialect::sqlite) return 1;
  return std::thread::hardware_concurrency() >= kCoresForTwoLanes ? 2 : 1;
}

}  // namespace

void AudienceRole::build(const Clients& clients, Accounts& accounts) {
  auto& g = ground_;
  clients_ = clients;
  audience::listenTo(g.bus, sums_);
  directory_.measure(g.metrics.cache("viewers"));
  viewers_ =
      std::make_unique<audience::ViewerService>(g.db1, directory_, g.passwords, g.tokens, g.clock);
  tips_ = std::make_unique<audience::TipService>(
      g.db1, lanes_, directory_, sums_, boards_, clients.anchors, clients.finance,
      audience::TipPolicy{g.config.guestsMayTip, g.config.minorsMayTip}, traces_, g.metrics);
  tips_->showCountedBy(clients.analysis);
  audience::addRoutes(g.router, *viewers_, *tips_);
  topViewers_ = std::make_unique<audience::TopViewers>(g.db1, directory_, clients.anchors, policy_);
  audience::addTopViewerRoutes(g.router, *topViewers_);
  portraits_ = std::make_unique<audience::Portraits>(g.db1, clients.analysis, g.cache);
  audience::addPortraitRoutes(g.router, *portraits_);
  viewers_->showTiersBy(clients.analysis);
  internal_ = std::make_unique<audience::InternalRoutes>(*tips_);
  internal_->addTo(g.router);
  accounts[PrincipalKind::viewer] = viewers_.get();
}

void AudienceRole::start() {
  auto& g = ground_;
  const auto& config = g.config;
  const Duration lease{config.laneLeaseSeconds * kUsPerSecond};
  sync_ = std::make_unique<audience::SyncDriver>(g.db1, clients_.finance, g.clock,
                                                 audience::SyncIdentity{g.name, g.process, lease},
                                                 traces_, g.metrics, g.jobs);
  roomEvents_ = std::make_unique<audience::RoomEvents>(
      g.bus, clients_.live,
      [this](ViewerId viewer) {
        const auto card = directory_.known(viewer);
        return card ? card->name : std::string{};
      },
      g.metrics);
  audience::LaneLimits limits;
  limits.batch = static_cast<std::size_t>(config.laneBatch);
  limits.queue = static_cast<std::size_t>(config.laneQueue);
  const int count = config.lanes > 0 ? config.lanes : defaultLanes(g.db1.url().dialect);
  std::vector<std::unique_ptr<audience::LaneDriver>> drivers;
  for (int i = 0; i < count; ++i) {
    drivers.push_back(std::make_unique<audience::LaneDriver>(
        g.db1, g.clock, audience::LaneIdentity{g.name, g.process, lease}, limits,
        laneMetrics(g.metrics, i + 1),
        [this](LaneId lane, const std::vector<audience::NumberedTip>& committed, Time at) {
          sums_.add(lane, committed);
          roomEvents_->onCommitted(committed);
          sync_->onCommitted(lane, committed, at);
        }));
  }
  lanes_.start(std::move(drivers));
  addLaneMetrics(g.metrics, lanes_, config.laneQueue);
}

void AudienceRole::sumUpOpenSessions() {
  auto& g = ground_;
  sumReporter_ = std::make_unique<audience::SumReporter>(
      g.db1, sums_, g.bus, clients_.anchors, audience::SumReporter::Identity{g.name, g.process});
  sumReporter_->start(*drogon::app().getLoop());
}

void AudienceRole::stopLanes() {
  lanes_.stop();
  if (roomEvents_) roomEvents_->stop();
  if (sumReporter_) sumReporter_->tellAll();
}

void AudienceRole::stopSync(Duration limit) {
  if (sync_) sync_->stop(limit);
}

std::vector<schedule::JobSpec> AudienceRole::jobs() { return audience::jobs(ground_.db1); }

http::Probe AudienceRole::lanesProbe() {
  return [this]() -> http::Task<http::ReadinessCheck> {
    const bool up = lanes_.healthy();
    co_return http::ReadinessCheck{"lanes", up, up ? "open" : "cannot write tips"};
  };
}

std::optional<SyncSight> AudienceRole::sync() const {
  if (!sync_) return std::nullopt;
  const auto waiting = sync_->waiting();
  return SyncSight{waiting.tips, waiting.oldest};
}

}  // namespace tipflow::app
