#include "console/alert_rules.h"

#include <algorithm>

namespace tipflow::console {

Attention::Bounds Attention::taken(Time now) {
  // A node is noted, and heard of again, several times before it counts as gone.
  constexpr int kParts = 4;
  const Duration part = gone_ / kParts;
  const bool listened = since_ && now >= last_ && now - last_ <= part;
  if (!listened) since_ = now;
  last_ = now;
  Bounds bounds{now - part, std::nullopt};
  if (now - *since_ >= gone_) bounds.gone = now - gone_;
  return bounds;
}

AlertChanges changesOf(const ConditionReport& report, const std::vector<store::OpenAlert>& open,
                       const Attention::Bounds& bounds) {
  using Why = AlertChanges::Why;
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
    if (alert.node != report.node) {
      const bool gone = bounds.gone && alert.heardAt < *bounds.gone;
      if (gone) changes.resolve.push_back({alert.id, report.at, Why::gone});
      continue;
    }
    const auto watched = std::ranges::find_if(report.conditions, sameAs(alert));
    if (watched == report.conditions.end()) {
      changes.resolve.push_back({alert.id, report.at, Why::unwatched});
    } else if (watched->state == ConditionState::over) {
      changes.resolve.push_back({alert.id, watched->since, Why::ended});
    } else if (alert.heardAt < bounds.fresh) {
      changes.note = true;
    }
  }
  return changes;
}

}  // namespace tipflow::console
