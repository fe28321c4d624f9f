#include "app/cluster_views.h"

namespace tipflow::app {
namespace {

/// DB1 as the console sees it: its own file of a node without DB1's roles would be an empty one.
db::Database* reachableDb1(Ground& ground) {
  const bool served = ground.db1.url().dialect == db::Dialect::mysql;
  return ground.usesDb1() || served ? &ground.db1 : nullptr;
}

std::vector<console::SeenDatabase> seen(Ground& ground, const ReplicaReads& replicas) {
  std::vector<console::SeenDatabase> databases;
  if (auto* db1 = reachableDb1(ground)) databases.push_back({db1, "db1", replicas.ofDb1()});
  databases.push_back({&ground.db2, "db2", replicas.ofDb2()});
  return databases;
}

}  // namespace

ClusterViews::ClusterViews(Ground& ground, const ReplicaReads& replicas,
                           rpc::Connections& connections, rpc::Sign sign,
                           console::Nodes::Circuits circuits)
    : jobs_(reachableDb1(ground), ground.db2),
      nodes_(ground.registry, {allRoles().begin(), allRoles().end()}, connections, std::move(sign),
             std::move(circuits), ground.db2, ground.clock),
      databases_(seen(ground, replicas)) {
  console::addJobRoutes(ground.router, jobs_);
  console::addNodeRoutes(ground.router, nodes_, databases_);
}

}  // namespace tipflow::app
