// What the nodes of the cluster say of themselves when they are asked, all at once and not for
// long.
#pragma once

#include <drogon/utils/coroutine.h>

#include <functional>

#include "console/node_model.h"
#include "platform/db/database.h"
#include "platform/node_report.h"
#include "platform/registry.h"
#include "platform/rpc/caller.h"

namespace tipflow::console {

/// A node and its answers.
struct AskedNode {
  ShownNode shown;
  std::optional<NodeReport> report;
};

/// Reads what `/readyz` answered; a status of 0 is no answer.
void readReadiness(int status, std::string_view body, ShownNode& node);

class Nodes {
 public:
  /// The circuits of this node's calls to other roles.
  using Circuits = std::function<std::vector<rpc::State>()>;

  /// `roles`: all that there are.
  Nodes(const Registry& registry, std::vector<std::string> roles, rpc::Connections& connections,
        rpc::Sign sign, Circuits circuits, db::Database& db2, const Clock& clock)
      : registry_(registry),
        roles_(std::move(roles)),
        connections_(connections),
        sign_(std::move(sign)),
        circuits_(std::move(circuits)),
        db2_(db2),
        clock_(clock) {}

  drogon::Task<Services> services();
  drogon::Task<Overview> overview();

 private:
  class AskingAll;
  [[nodiscard]] std::vector<AskedNode> known() const;
  drogon::Task<std::vector<AskedNode>> askAll();
  [[nodiscard]] rpc::Wire wireOf(const std::string& path) const;

  const Registry& registry_;
  std::vector<std::string> roles_;
  rpc::Connections& connections_;
  rpc::Sign sign_;
  Circuits circuits_;
  db::Database& db2_;
  const Clock& clock_;
};

}  // namespace tipflow::console
