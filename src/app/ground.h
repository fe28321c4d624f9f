// What every part of a node stands on: settings, clock, databases, tokens, the router. Made first,
// in the order of its members, and gone last.
#pragma once

#include <set>
#include <string>

#include "app/durability_watch.h"
#include "app/front.h"
#include "app/node.h"
#include "app/peers.h"
#include "app/replica_reads.h"
#include "app/schedulers.h"
#include "app/shared_state.h"
#include "platform/business_time.h"
#include "platform/config.h"
#include "platform/db/database.h"
#include "platform/http/operations.h"
#include "platform/http/router.h"
#include "platform/metrics.h"
#include "platform/passwords.h"
#include "platform/schedule/jobs.h"
#include "platform/security/keyring.h"
#include "platform/security/tokens.h"
#include "platform/tracing.h"
#include "platform/workers.h"

namespace tipflow::app {

/// What the node is called by others and in the log: as configured, else its host and port.
std::string nodeName(const Config& config);

struct Ground {
  Ground(const Config& config, std::set<std::string> roles, NodeKeys keys);

  [[nodiscard]] bool has(const char* role) const { return roles.contains(role); }
  [[nodiscard]] bool usesDb1() const { return has("anchor") || has("audience"); }
  [[nodiscard]] bool usesDb2() const { return has("finance") || has("analysis") || has("console"); }
  /// nullptr for those this node does not use.
  [[nodiscard]] Front::Databases databases() {
    return {usesDb1() ? &db1 : nullptr, usesDb2() ? &db2 : nullptr};
  }
  [[nodiscard]] std::vector<db::Database*> usedDatabases();
  /// What every node needs to work: its databases, and the others it knows.
  [[nodiscard]] std::vector<http::Probe> probes();
  void measure();
  /// Checks the durability of the databases, and brings them to the current schema. Throws when
  /// one cannot be used.
  void prepareDatabases();

  const Config& config;
  std::set<std::string> roles;
  NodeKeys keys;
  SystemClock clock;
  crypto::SystemRandom random;
  std::string name;
  std::string process;  ///< new for each process
  Metrics metrics;
  DurabilityWatch durability{metrics};
  schedule::Jobs jobs{metrics, clock};
  SharedState shared;
  Cache& cache{shared.cache()};
  Bus& bus{shared.bus()};
  Lock& lock{shared.lock()};
  Peers peers;
  Registry& registry{peers.registry()};
  db::Database db1;
  db::Database db2;
  ReplicaReads replicas;
  Schedulers schedulers;
  Workers workers;
  Passwords passwords;
  Tokens tokens;
  Keyring keyring;
  Front front;
  http::SignatureCheck signatures;
  Tracing tracing;
  http::Router router;
  BusinessTime businessTime;
};

}  // namespace tipflow::app
