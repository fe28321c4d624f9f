#include "app/front.h"

#include <drogon/HttpAppFramework.h>

#include "console/security_routes.h"
#include "platform/log.h"

namespace tipflow::app {
namespace {

constexpr double kSoonSeconds = 0.3;  // by then other nodes are known
constexpr int kWorthSaying = 3;       // one that fails is soon made good

}  // namespace

Front::Front(const Config& config, std::string clusterKey, const Clock& clock, Metrics& metrics)
    : clock_(clock),
      metrics_(metrics),
      gate_(NetworkSet::parse(config.trustedProxies),
            {config.addressPerSecond, config.addressBurst, config.viewerPerSecond,
             config.viewerBurst, NetworkSet::parse(config.limitsExempt)},
            clock, metrics),
      nodes_(std::move(clusterKey), clock),
      logins_({config.loginPerNameAndAddress, config.loginPerName, config.loginPerAddress}, clock) {
}

void Front::build(http::Router& router, Databases databases, console::Operators* operators,
                  Bus& bus) {
  if (databases.db1 != nullptr) log1_ = std::make_unique<http::OperatorLog>(*databases.db1);
  if (databases.db2 != nullptr) log2_ = std::make_unique<http::OperatorLog>(*databases.db2);
  recorder_ = std::make_unique<ChangeRecorder>(ChangeRecorder::Logs{log1_.get(), log2_.get()},
                                               operators, clock_, metrics_);
  router.recordChangesWith(
      [this](const http::Route& route, const http::Call& call, std::optional<ErrorCode> refusal) {
        return recorder_->record(route, call, refusal);
      });
  if (operators == nullptr) return;
  blocks_ = std::make_unique<console::Blocks>(*databases.db2, bus, clock_);
  actions_ = std::make_unique<console::ActionLog>(log1_.get(), *log2_, *operators);
  console::addSecurityRoutes(router, *blocks_, *actions_);
}

void Front::start(const Databases& databases) {
  if (!blocks_) return;
  gate_.block(console::Blocks::networks(*databases.db2->connect(), clock_.now()));
}

void Front::watch(Bus& bus, console::RemoteConsole* console) {
  if (!blocks_ && console == nullptr) return;
  console_ = console;
  const auto refresh = [this] {
    drogon::async_run([this]() -> drogon::Task<> { co_await refreshBlocks(); });
  };
  auto* loop = drogon::app().getLoop();
  loop->runEvery(kBlocksSeconds, refresh);
  loop->queueInLoop(refresh);
  loop->runAfter(kSoonSeconds, refresh);
  bus.subscribe(topic::kBlocksChanged,
                [loop, refresh](std::string_view) { loop->queueInLoop(refresh); });
}

drogon::Task<> Front::refreshBlocks() {
  try {
    auto networks = blocks_ ? blocks_->networks() : console_->blockedNetworks();
    gate_.block(co_await networks);
    unread_ = 0;
  } catch (const std::exception& error) {
    if (++unread_ != kWorthSaying) co_return;
    log::warn("console", "cannot read blocked networks; those known stay blocked",
              log::field("error", std::string_view(error.what())));
  }
}

}  // namespace tipflow::app
