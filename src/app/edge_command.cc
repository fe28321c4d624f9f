#include "app/edge_command.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <iostream>
#include <mutex>
#include <set>

#include "app/termination.h"
#include "app/version.h"
#include "edge/agent.h"
#include "edge/blocks.h"
#include "platform/discovery/consul.h"
#include "platform/embedded.h"
#include "platform/http/address.h"
#include "platform/http/node_signature.h"
#include "platform/log.h"
#include "platform/rpc/caller.h"
#include "platform/security/crypto.h"
#include "platform/security/key_source.h"

namespace tipflow::app {
namespace {

constexpr std::chrono::milliseconds kLookEvery{200};
constexpr const char* kTemplate = "deploy/nginx/tipflow.conf.template";

std::vector<std::string> networksOf(std::string_view list) {
  std::vector<std::string> networks;
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    if (const auto network = Network::parse(list.substr(0, comma))) {
      networks.push_back(network->text());
    }
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return networks;
}

/// As many as this process may pass on, and no more than are of use: each request has two.
std::int64_t descriptorsFor(std::int64_t connections) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const auto wanted = 2 * connections + 64;
  return limit.rlim_max == RLIM_INFINITY
             ? wanted
             : std::min(wanted, static_cast<std::int64_t>(limit.rlim_max));
}

edge::Options optionsOf(const Config& config) {
  return {config.edgeAddress,        config.edgePort,
          config.edgeConnections,    descriptorsFor(config.edgeConnections),
          config.addressPerSecond,   config.addressBurst,
          config.addressConnections, networksOf(config.limitsExempt)};
}

std::string clusterKeyOf(const Config& config) {
  const auto file = config.dataDir + "/cluster-key";
  if (config.clusterKey.empty() && !std::filesystem::exists(file)) {
    throw ConfigError(
        "cluster.key: the edge asks nodes which networks are blocked, and signs with "
        "their key; set it as on the nodes (TIPFLOW_CLUSTER_KEY)");
  }
  KeySource keys(KeyKind::token, config.clusterKey, file);
  return std::string(keys.keys()->front().secret.bytes());
}

rpc::Sign signerWith(std::string key, std::string name) {
  return [key = std::move(key), name = std::move(name)](
             drogon::HttpMethod, const std::string& target, const std::string& body) {
    const auto headers = http::signNode(key, name, "GET", target, body, SystemClock{}.now());
    return std::vector<std::pair<std::string, std::string>>{
        {"X-Tipflow-Node", headers.node},
        {"X-Tipflow-Timestamp", headers.timestamp},
        {"X-Tipflow-Node-Signature", headers.signature}};
  };
}

/// Until it is told to leave.
class Leaving {
 public:
  void tell() {
    {
      const std::lock_guard lock(mutex_);
      told_ = true;
    }
    changed_.notify_all();
  }
  /// Whether it was told within this time.
  bool within(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, time, [this] { return told_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool told_ = false;
};

/// What the agent needs of the cluster: who is there, and what is blocked.
struct Sources {
  Sources(const Config& config, const std::string& name)
      : registry(config.consulUrl, {edge::roles().begin(), edge::roles().end()}, metrics),
        console("console", registry, connections, signerWith(clusterKeyOf(config), name), clock,
                random, metrics),
        blocks(console) {}

  Metrics metrics;
  SystemClock clock;
  crypto::SystemRandom random;
  ConsulRegistry registry;
  rpc::Connections connections;
  rpc::Caller console;
  edge::Blocks blocks;
};

void lookUntilTold(edge::Agent& agent, Leaving& leaving) {
  std::string trouble;
  while (!leaving.within(kLookEvery)) {
    try {
      agent.look();
      trouble.clear();
    } catch (const std::exception& error) {
      if (trouble != error.what())
        log::error("edge", "not well", log::field("error", std::string_view(error.what())));
      trouble = error.what();
    }
  }
}

}  // namespace

int edge(const Config& config) {
  if (config.consulUrl.empty()) {
    throw ConfigError(
        "consul.url: the edge learns from Consul where nodes are; set it "
        "(TIPFLOW_CONSUL_URL)");
  }
  umask(0077);
  Termination termination;
  const auto name = config.node.empty() ? fmt::format("edge:{}", config.edgePort) : config.node;
  edge::Nginx nginx(config.edgeNginx, config.dataDir + "/edge");
  std::filesystem::create_directories(config.dataDir + "/log");
  log::start({name, log::levelFromWord(config.logLevel),
              config.logTo == "file" ? config.dataDir + "/log/tipflow-edge.jsonl" : std::string{}});
  {
    Leaving leaving;
    Sources sources(config, name);
    edge::Agent agent(optionsOf(config), embeddedFiles().at(kTemplate), nginx, sources.registry,
                      [&] { return sources.blocks.networks(); });
    agent.look();
    std::cout << fmt::format("tipflow {} edge at http://{}:{}\n", kVersion, config.edgeAddress,
                             config.edgePort)
              << std::flush;
    termination.onRequest([&leaving] { leaving.tell(); });
    lookUntilTold(agent, leaving);
    nginx.quit();
    termination.stop();
  }
  log::stop();
  return 0;
}

}  // namespace tipflow::app
