// What a node's report changes about the alerts that are kept. Pure.
#pragma once

#include <vector>

#include "console/alert_store.h"
#include "platform/condition_sink.h"

namespace tipflow::console {

struct AlertChanges {
  struct Over {
    std::int64_t alert = 0;
    Time at;
    bool watched = true;  ///< false: it is over because its node does not watch for it any more
    friend bool operator==(const Over&, const Over&) = default;
  };
  std::vector<Condition> raise;
  std::vector<Over> resolve;
};

/// `open`: all alerts that are open. A rule and subject has one of them at most, so what is raised
/// already stays as it is; what is settling too. Other nodes' alerts are left alone.
[[nodiscard]] AlertChanges changesOf(const ConditionReport& report,
                                     const std::vector<store::OpenAlert>& open);

}  // namespace tipflow::console
