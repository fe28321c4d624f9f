// Jobs that a node repeats on its main loop, one run at a time each.
#pragma once

#include <functional>
#include <string>

#include "platform/schedule/jobs.h"

namespace tipflow::app {

struct PeriodicJob {
  std::string name;
  std::string role;  ///< whose log it is
  Duration every;
  std::function<drogon::Task<>()> work;
  /// Whether this node is to run it now; always when empty.
  std::function<drogon::Task<bool>()> ours = {};
};

/// From now on; to be called when the main loop runs.
void runPeriodically(schedule::Jobs& jobs, PeriodicJob job);

}  // namespace tipflow::app
