// Discovery through Consul: this node's roles are registered with a check on /readyz, and the nodes
// of every role are watched by blocking queries. What Consul does not say never replaces what was
// known: without it nodes go on as they are, and only news is missing.
#pragma once

#include <drogon/HttpClient.h>
#include <trantor/net/EventLoopThread.h>

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "platform/metrics.h"
#include "platform/registry.h"

namespace tipflow {

/// The nodes in the answer of `/v1/health/service/<name>`; nullopt when it is not such an answer.
std::optional<std::vector<Instance>> consulInstances(std::string_view body,
                                                     const std::string& role);
/// What registers one role of a node (Consul's agent API, service registration). `ready`: whether
/// others may call it before Consul has looked for itself.
std::string consulRegistration(const Instance& instance, bool ready);

class ConsulRegistry final : public Registry {
 public:
  /// `url`: `http://host:port`. `roles`: all there are; each is watched.
  ConsulRegistry(const std::string& url, const std::set<std::string>& roles, Metrics& metrics);
  ~ConsulRegistry() override;

  /// To be called once the node is ready. Registers it again when Consul has forgotten it.
  void add(const Instance& instance) override;
  /// Takes this node out of the lists of others; waits for Consul, but not for long.
  void removeNode(const std::string& node) override;
  [[nodiscard]] std::vector<Instance> instances(const std::string& role) const override;

 private:
  struct Watch {
    std::string role;
    drogon::HttpClientPtr client;
    std::string index = "0";
  };
  void ask(Watch& watch);
  /// False when it is no answer of Consul's.
  bool learn(Watch& watch, const drogon::HttpResponsePtr& answer);
  void lookWhetherKnown();
  void registerOne(const Instance& instance, bool ready);
  [[nodiscard]] std::vector<Instance> own() const;
  [[nodiscard]] bool isOwn(const Instance& instance) const;

  std::string url_;
  trantor::EventLoopThread thread_;
  prometheus::Counter& failures_;
  std::vector<std::unique_ptr<Watch>> watches_;  // the loop's own
  drogon::HttpClientPtr agent_;
  mutable std::shared_mutex mutex_;
  std::map<std::string, std::vector<Instance>> known_;
  std::vector<Instance> own_;
};

}  // namespace tipflow
