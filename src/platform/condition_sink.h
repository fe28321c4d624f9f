// Where the conditions of all nodes go. The console role keeps alerts of them; a node knows only
// this.
#pragma once

#include <drogon/utils/coroutine.h>

#include <string>
#include <vector>

#include "base/time.h"
#include "platform/conditions.h"

namespace tipflow {

/// Everything one node watches, at one instant. It can be given again: only the last one counts.
struct ConditionReport {
  std::string node;
  Time at;
  std::vector<Condition> conditions;
};

class ConditionSink {
 public:
  virtual ~ConditionSink() = default;
  /// Throws when it could not be taken; it is then given again, as it is by then.
  virtual drogon::Task<> take(ConditionReport report) = 0;
};

}  // namespace tipflow
