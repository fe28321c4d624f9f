// The nodes of the cluster as the API shows them.
#pragma once

#include <boost/describe.hpp>

#include <optional>
#include <string>
#include <vector>

#include "platform/json.h"
#include "platform/rpc/breaker.h"

namespace tipflow::console {

enum class NodeState {
  ready,
  notReady,  ///< it answers, and something that it needs does not
  leaving,
  silent,  ///< no answer within the time
};

/// One thing a node needs.
struct NodeCheck {
  std::string name;
  std::string status;
  std::string detail;
};
BOOST_DESCRIBE_STRUCT(NodeCheck, (), (name, status, detail))

struct ShownNode {
  std::string node;
  std::string address;
  std::string version;
  std::vector<std::string> roles;
  NodeState state = NodeState::silent;
  std::vector<NodeCheck> checks;
  std::optional<Time> startedAt;
};
BOOST_DESCRIBE_STRUCT(ShownNode, (), (node, address, version, roles, state, checks, startedAt))

/// A role as the node that answers sees it: `breaker` is of its own calls to it.
struct ShownRole {
  std::string role;
  std::int64_t nodes = 0;
  std::int64_t ready = 0;
  std::optional<rpc::BreakerState> breaker;  ///< none: it does not call that role
};
BOOST_DESCRIBE_STRUCT(ShownRole, (), (role, nodes, ready, breaker))

struct Services {
  std::vector<ShownNode> items;
  std::vector<ShownRole> roles;
};
BOOST_DESCRIBE_STRUCT(Services, (), (items, roles))

struct NodeCount {
  std::int64_t all = 0;
  std::int64_t ready = 0;
};
BOOST_DESCRIBE_STRUCT(NodeCount, (), (all, ready))

struct AlertCount {
  std::int64_t warning = 0;
  std::int64_t critical = 0;
};
BOOST_DESCRIBE_STRUCT(AlertCount, (), (warning, critical))

struct DaySum {
  Time from;
  std::int64_t tips = 0;
  Fen amount;
};
BOOST_DESCRIBE_STRUCT(DaySum, (), (from, tips, amount))

struct SyncLag {
  std::int64_t tips = 0;
  std::int64_t lagMs = 0;
};
BOOST_DESCRIBE_STRUCT(SyncLag, (), (tips, lagMs))

/// What no node could say is null.
struct Overview {
  NodeCount nodes;
  std::optional<double> tipsPerSecond;
  std::optional<SyncLag> sync;
  std::optional<DaySum> today;
  AlertCount alerts;
  Time asOf;
};
BOOST_DESCRIBE_STRUCT(Overview, (), (nodes, tipsPerSecond, sync, today, alerts, asOf))

}  // namespace tipflow::console

template <>
struct tipflow::EnumWords<tipflow::console::NodeState> {
  using State = console::NodeState;
  static constexpr std::array values{std::pair{std::string_view{"ready"}, State::ready},
                                     std::pair{std::string_view{"not_ready"}, State::notReady},
                                     std::pair{std::string_view{"leaving"}, State::leaving},
                                     std::pair{std::string_view{"silent"}, State::silent}};
};
