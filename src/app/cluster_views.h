// The console role's views of the cluster, put together: jobs, nodes, databases.
#pragma once

#include "app/ground.h"
#include "app/replica_reads.h"
#include "console/job_routes.h"
#include "console/node_routes.h"

namespace tipflow::app {

class ClusterViews {
 public:
  /// `circuits`: of this node's calls to other roles; empty where there are none.
  ClusterViews(Ground& ground, const ReplicaReads& replicas, rpc::Connections& connections,
               rpc::Sign sign, console::Nodes::Circuits circuits);

 private:
  console::JobControl jobs_;
  console::Nodes nodes_;
  console::Databases databases_;
};

}  // namespace tipflow::app
