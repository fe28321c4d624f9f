#include "console/alert_rules.h"

#include <algorithm>

namespace tipflow::console {

AlertChanges changesOf(const ConditionReport& report, const std::vector<store::OpenAlert>& open) {
  AlertChanges changes;
  const auto sameAs = [](const auto& one) {
    return [&one](const auto& other) {
      return one.rule == other.rule && one.subject == other.subject;
    };
  };
  for (const auto& condition : report.conditions) {
    if (condition.state == ConditionState::raised &&
        std::ranges::none_of(open, sameAs(condition))) {
      changes.raise.push_back(condition);
    }
  }
  for (const auto& alert : open) {
    if (alert.node != report.node) continue;
    const auto watched = std::ranges::find_if(report.conditions, sameAs(alert));
    if (watched == report.conditions.end()) {
      changes.resolve.push_back({alert.id, report.at, false});
    } else if (watched->state == ConditionState::over) {
      changes.resolve.push_back({alert.id, watched->since, true});
    }
  }
  return changes;
}

}  // namespace tipflow::console
