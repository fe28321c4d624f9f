// The scheduled jobs of a node: those of the roles on DB1 and those of the roles on DB2, each with
// threads of its own, so that one database that hangs holds up no lease in the other. What only
// this node can do for itself is in periodic.h.
#pragma once

#include <vector>

#include "platform/schedule/scheduler.h"

namespace tipflow::app {

class Schedulers {
 public:
  Schedulers(const schedule::Holder& holder, const Clock& clock, schedule::Jobs& states,
             const schedule::LeaseLimits& leases)
      : db1_(holder, clock, states, leases), db2_(holder, clock, states, leases) {}

  /// Jobs of roles on one database. Before `start`.
  void addDb1(std::vector<schedule::JobSpec> jobs) { add(db1_, std::move(jobs)); }
  void addDb2(std::vector<schedule::JobSpec> jobs) { add(db2_, std::move(jobs)); }
  /// Needs the migrated databases.
  void start();
  /// The node is about to leave: no run begins any more, those under way are told to stop.
  void leave();
  /// Waits for those; the lease of a job that was given up is free at once.
  void stop();

 private:
  static void add(schedule::Scheduler& scheduler, std::vector<schedule::JobSpec> jobs);

  schedule::Scheduler db1_;
  schedule::Scheduler db2_;
};

}  // namespace tipflow::app
