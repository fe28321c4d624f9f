// What stands in front of the roles, put together: the gate, log-in limits, proof between nodes,
// the operators' log, blocked networks.
#pragma once

#include <memory>

#include "app/change_recorder.h"
#include "console/action_log.h"
#include "console/blocks.h"
#include "console/remote.h"
#include "platform/config.h"
#include "platform/http/gate.h"
#include "platform/http/login_limits.h"
#include "platform/http/node_signature.h"

namespace tipflow::app {

class Front {
 public:
  /// Networks that other nodes blocked are known within this time.
  static constexpr double kBlocksSeconds = 2.0;

  /// `clusterKey`: 32 bytes.
  Front(const Config& config, std::string clusterKey, const Clock& clock, Metrics& metrics);

  /// nullptr for a database this node does not use, and where the console is away.
  struct Databases {
    db::Database* db1 = nullptr;
    db::Database* db2 = nullptr;
  };
  void build(http::Router& router, Databases databases, console::Operators* operators, Bus& bus);
  /// Before requests come: what is blocked. Needs the migrated databases.
  void start(const Databases& databases);
  /// From now on keeps the gate up to date; on the main loop. `console`: whom to ask where this
  /// node has not the role; null: nobody.
  void watch(Bus& bus, console::RemoteConsole* console);

  [[nodiscard]] http::Gate& gate() { return gate_; }
  [[nodiscard]] const http::NodeSignatureCheck& nodes() const { return nodes_; }
  [[nodiscard]] http::LoginLimits& logins() { return logins_; }

 private:
  drogon::Task<> refreshBlocks();

  const Clock& clock_;
  Metrics& metrics_;
  http::Gate gate_;
  http::NodeSignatureCheck nodes_;
  http::LoginLimits logins_;
  std::unique_ptr<http::OperatorLog> log1_;
  std::unique_ptr<http::OperatorLog> log2_;
  std::unique_ptr<ChangeRecorder> recorder_;
  std::unique_ptr<console::Blocks> blocks_;
  std::unique_ptr<console::ActionLog> actions_;
  console::RemoteConsole* console_ = nullptr;
  int unread_ = 0;  // times in a row
};

}  // namespace tipflow::app
