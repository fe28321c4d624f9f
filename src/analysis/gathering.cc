#include "analysis/gathering.h"

#include <algorithm>

namespace tipflow::analysis {

ViewerSet& Gathering::payersIn(Time hour) {
  if (hour != lastHour_) {
    lastPayers_ = &payers_[dayOfHour_(hour)];
    lastHour_ = hour;
  }
  return *lastPayers_;
}

void Gathering::add(const LedgerTip& tip) {
  const Time hour = startOfHour(tip.acceptedAt);
  cells_[{hour, tip.anchor, tip.anchorGender, tip.viewerGender}].add(
      {tip.amount, 1, tip.anchorUnits});
  const auto place =
      viewers_.try_emplace(tip.viewer, ViewerSum{tip.viewer, {}, 0, tip.acceptedAt, tip.acceptedAt})
          .first;
  auto& viewer = place->second;
  viewer.total += tip.amount;
  ++viewer.tips;
  viewer.firstAt = std::min(viewer.firstAt, tip.acceptedAt);
  viewer.lastAt = std::max(viewer.lastAt, tip.acceptedAt);
  payersIn(hour).add(tip.viewer);
  ++tips_;
}

std::map<HourKey, Sum> Gathering::hours() const {
  std::map<HourKey, Sum> hours;
  for (const auto& [key, sum] : cells_) {
    hours[{key.hour, key.anchorGender, key.viewerGender}].add(sum);
  }
  return hours;
}

std::map<DayKey, Sum> Gathering::days() const {
  std::map<DayKey, Sum> days;
  for (const auto& [key, sum] : cells_) {
    days[{dayOfHour_(key.hour), key.anchor, key.anchorGender, key.viewerGender}].add(sum);
  }
  return days;
}

std::vector<ViewerSum> Gathering::viewers() const {
  std::vector<ViewerSum> sorted;
  sorted.reserve(viewers_.size());
  for (const auto& [_, sum] : viewers_) sorted.push_back(sum);
  std::sort(sorted.begin(), sorted.end(),
            [](const ViewerSum& a, const ViewerSum& b) { return a.viewer < b.viewer; });
  return sorted;
}

}  // namespace tipflow::analysis
