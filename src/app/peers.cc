#include "app/peers.h"

#include <drogon/HttpAppFramework.h>

#include <thread>

#include "app/node.h"
#include "app/version.h"
#include "audience/sum_reporter.h"
#include "platform/discovery/consul.h"
#include "platform/http/node_signature.h"
#include "platform/log.h"

namespace tipflow::app {
namespace {

constexpr double kReadySeconds = 0.1;

rpc::Sign signerOf(std::string key, std::string node, const Clock& clock) {
  return [key = std::move(key), node = std::move(node), &clock](
             drogon::HttpMethod method, const std::string& target, const std::string& body) {
    auto headers =
        http::signNode(key, node, drogon::to_string_view(method), target, body, clock.now());
    return std::vector<std::pair<std::string, std::string>>{
        {"X-Tipflow-Node", std::move(headers.node)},
        {"X-Tipflow-Timestamp", std::move(headers.timestamp)},
        {"X-Tipflow-Node-Signature", std::move(headers.signature)}};
  };
}

std::unique_ptr<Registry> registryOf(const Config& config, Metrics& metrics) {
  if (config.consulUrl.empty()) return std::make_unique<LocalRegistry>();
  return std::make_unique<ConsulRegistry>(config.consulUrl, allRoles(), metrics);
}

}  // namespace

Peers::Peers(const Config& config, PeerIdentity identity, const Clock& clock, Random& random,
             Metrics& metrics)
    : config_(config),
      identity_(std::move(identity)),
      clock_(clock),
      random_(random),
      metrics_(metrics),
      registry_(registryOf(config, metrics)),
      sign_(signerOf(identity_.clusterKey, identity_.node, clock)) {
  for (const auto& missing : missingForCluster(config, identity_.roles)) {
    log::warn("platform", missing);
  }
  if (config.consulUrl.empty()) return;
  if (auto* anchor = caller("anchor")) {
    anchors_ = std::make_unique<anchor::RemoteAnchors>(*anchor, clock);
    anchors_->measure(metrics.cache("rooms"));
    chat_ = std::make_unique<anchor::RemoteChatArchive>(*anchor);
  }
  if (auto* audience = caller("audience")) {
    audience_ = std::make_unique<audience::RemoteAudience>(*audience, sums_);
  }
  if (auto* finance = caller("finance")) {
    finance_ = std::make_unique<finance::RemoteFinance>(*finance);
  }
  if (auto* analysis = caller("analysis")) {
    analysis_ = std::make_unique<analysis::RemoteAnalysis>(*analysis);
  }
  if (auto* console = caller("console")) {
    console_ = std::make_unique<console::RemoteConsole>(*console);
  }
  std::map<PrincipalKind, rpc::Caller*> accounts;
  for (const auto& [kind, role] :
       {std::pair{PrincipalKind::anchor, "anchor"}, std::pair{PrincipalKind::viewer, "audience"},
        std::pair{PrincipalKind::operator_, "console"}}) {
    if (auto* found = caller(role)) accounts[kind] = found;
  }
  signIn_ = std::make_unique<rpc::SignInElsewhere>(std::move(accounts));
}

Peers::~Peers() = default;

rpc::Caller* Peers::caller(const std::string& role) {
  if (identity_.roles.contains(role)) return nullptr;
  auto& caller = callers_[role];
  if (!caller) {
    caller = std::make_unique<rpc::Caller>(role, *registry_, connections_, sign_, clock_, random_,
                                           metrics_);
  }
  return caller.get();
}

void Peers::addTo(Clients& clients) {
  if (anchors_) clients.anchors = anchors_.get();
  if (audience_) clients.audience = audience_.get();
  if (finance_) clients.finance = finance_.get();
  if (analysis_) clients.analysis = analysis_.get();
  if (chat_) clients.chat = chat_.get();
}

std::vector<http::Probe> Peers::probes() {
  std::vector<http::Probe> probes;
  // Who takes tips or lets people into rooms must know the rooms.
  if (anchors_ && (identity_.roles.contains("audience") || identity_.roles.contains("room"))) {
    probes.emplace_back([this]() -> http::Task<http::ReadinessCheck> {
      const bool up = anchors_->roomsKnown();
      co_return http::ReadinessCheck{"rooms", up, up ? "known" : "no node told of them yet"};
    });
  }
  return probes;
}

std::vector<rpc::State> Peers::states() const {
  std::vector<rpc::State> states;
  for (const auto& [role, caller] : callers_) states.push_back(caller->state());
  return states;
}

void Peers::listen(Bus& bus) {
  if (anchors_) anchors_->listen(bus);
  if (audience_) audience::listenTo(bus, sums_);
}

void Peers::start(std::vector<http::Probe> ready) {
  if (anchors_) anchors_->start(*drogon::app().getLoop());
  ready_ = std::move(ready);
  registerWhenReady();
}

void Peers::registerWhenReady() {
  drogon::async_run([this]() -> drogon::Task<> {
    while (!leaving_) {
      const bool ready = co_await isReady();
      if (ready) break;
      co_await drogon::sleepCoro(drogon::app().getLoop(), kReadySeconds);
    }
    if (leaving_) co_return;
    const auto& address =
        config_.clusterAddress.empty() ? config_.httpAddress : config_.clusterAddress;
    for (const auto& role : identity_.roles) {
      registry_->add({identity_.node, role, address, static_cast<int>(config_.httpPort), kVersion});
    }
  });
}

drogon::Task<bool> Peers::isReady() {
  for (const auto& probe : ready_) {
    const auto check = co_await probe();
    if (!check.up) co_return false;
  }
  co_return true;
}

void Peers::leave() {
  leaving_ = true;
  registry_->removeNode(identity_.node);
  if (config_.consulUrl.empty()) return;
  std::this_thread::sleep_for(std::chrono::microseconds(kNewsTime.count()));
}

std::vector<std::string> missingForCluster(const Config& config,
                                           const std::set<std::string>& roles) {
  std::vector<std::string> missing;
  if (config.consulUrl.empty()) return missing;
  const auto need = [&](const std::string& value, const char* setting, const char* what) {
    if (value.empty()) missing.push_back(std::string(setting) + " is not set: " + what);
  };
  need(config.clusterKey, "cluster.key", "other nodes will not believe what this one asks");
  need(config.tokenKey, "security.token_key",
       "who logs in at another node is not known here, nor the other way round");
  if (roles.contains("finance")) {
    need(config.dataKeys, "security.data_keys",
         "what one node of finance encrypts, no other can read");
  }
  need(config.redisUrl, "redis.url",
       "news of other nodes comes late, and a token logged out there stays good here");
  return missing;
}

}  // namespace tipflow::app
