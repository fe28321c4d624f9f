// The other nodes, as this one sees them: the registry, calls to roles that it has not, what it
// keeps of them, and its own coming and going. Without Consul there are none: every client is null.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "analysis/remote.h"
#include "anchor/remote.h"
#include "app/clients.h"
#include "audience/remote.h"
#include "console/remote.h"
#include "finance/remote.h"
#include "platform/config.h"
#include "platform/http/operations.h"
#include "platform/rpc/sign_in.h"

namespace tipflow::app {

/// Which node this is.
struct PeerIdentity {
  std::string node;
  std::string clusterKey;  ///< 32 bytes
  std::set<std::string> roles;
};

class Peers {
 public:
  /// Within this time after a node has deregistered, others have stopped calling it.
  static constexpr Duration kNewsTime{kUsPerSecond};

  Peers(const Config& config, PeerIdentity identity, const Clock& clock, Random& random,
        Metrics& metrics);
  ~Peers();
  Peers(const Peers&) = delete;
  Peers& operator=(const Peers&) = delete;

  /// Sets the clients of roles that this node has not; before its own roles are built.
  void addTo(Clients& clients);
  /// Of kinds whose role is elsewhere; null without other nodes.
  [[nodiscard]] RemoteSignIn* signIn() { return signIn_.get(); }
  [[nodiscard]] console::RemoteConsole* console() { return console_.get(); }
  [[nodiscard]] std::vector<http::Probe> probes();

  [[nodiscard]] Registry& registry() { return *registry_; }
  [[nodiscard]] rpc::Connections& connections() { return connections_; }
  [[nodiscard]] rpc::Sign signer() const { return sign_; }
  /// The circuits of this node's calls to other roles.
  [[nodiscard]] std::vector<rpc::State> states() const;

  /// Listens to the bus; before other nodes can be heard.
  void listen(Bus& bus);
  /// On the main loop, once it runs: learns what there is to know, and registers this node as soon
  /// as all of `ready` are up.
  void start(std::vector<http::Probe> ready);
  /// Others are told that this node leaves; returns when they know. Blocks.
  void leave();

 private:
  rpc::Caller* caller(const std::string& role);
  void registerWhenReady();
  drogon::Task<bool> isReady();

  const Config& config_;
  PeerIdentity identity_;
  const Clock& clock_;
  Random& random_;
  Metrics& metrics_;
  std::unique_ptr<Registry> registry_;
  rpc::Connections connections_;
  rpc::Sign sign_;
  std::map<std::string, std::unique_ptr<rpc::Caller>> callers_;
  audience::SessionSums sums_;
  std::unique_ptr<anchor::RemoteAnchors> anchors_;
  std::unique_ptr<anchor::RemoteChatArchive> chat_;
  std::unique_ptr<audience::RemoteAudience> audience_;
  std::unique_ptr<finance::RemoteFinance> finance_;
  std::unique_ptr<analysis::RemoteAnalysis> analysis_;
  std::unique_ptr<console::RemoteConsole> console_;
  std::unique_ptr<RemoteSignIn> signIn_;
  std::vector<http::Probe> ready_;
  std::atomic<bool> leaving_{false};
};

/// What is missing for this node to work with others, for people; empty when nothing is.
[[nodiscard]] std::vector<std::string> missingForCluster(const Config& config,
                                                         const std::set<std::string>& roles);

}  // namespace tipflow::app
