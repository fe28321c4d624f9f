#include "analysis/gathering.h"

#include <algorithm>

namespace tipflow::analysis {

Gathering::Hour& Gathering::hourAt(Time hour) {
  if (hour != lastStart_) {
    last_ = &hours_[hour];
    if (last_->payers == nullptr) last_->payers = &payers_[dayOfHour_(hour)];
    lastStart_ = hour;
  }
  return *last_;
}

void Gathering::add(const LedgerTip& tip) {
  auto& hour = hourAt(startOfHour(tip.acceptedAt));
  const auto [cell, isNew] =
      hour.cells.try_emplace({tip.anchor, tip.anchorGender, tip.viewerGender});
  if (isNew) ++cellCount_;
  cell->second.add({tip.amount, 1, tip.anchorUnits});
  const auto place =
      viewers_.try_emplace(tip.viewer, ViewerSum{tip.viewer, {}, 0, tip.acceptedAt, tip.acceptedAt})
          .first;
  auto& viewer = place->second;
  viewer.total += tip.amount;
  ++viewer.tips;
  viewer.firstAt = std::min(viewer.firstAt, tip.acceptedAt);
  viewer.lastAt = std::max(viewer.lastAt, tip.acceptedAt);
  hour.payers->add(tip.viewer);
  ++tips_;
}

std::vector<std::pair<CellKey, Sum>> Gathering::cells() const {
  std::vector<std::pair<CellKey, Sum>> cells;
  cells.reserve(static_cast<std::size_t>(cellCount_));
  for (const auto& [start, hour] : hours_) {
    for (const auto& [place, sum] : hour.cells) {
      cells.push_back({{start, place.anchor, place.anchorGender, place.viewerGender}, sum});
    }
  }
  return cells;
}

std::map<HourKey, Sum> Gathering::hours() const {
  std::map<HourKey, Sum> hours;
  for (const auto& [start, hour] : hours_) {
    for (const auto& [place, sum] : hour.cells) {
      hours[{start, place.anchorGender, place.viewerGender}].add(sum);
    }
  }
  return hours;
}

std::map<DayKey, Sum> Gathering::days() const {
  std::map<DayKey, Sum> days;
  for (const auto& [start, hour] : hours_) {
    const auto day = dayOfHour_(start);
    for (const auto& [place, sum] : hour.cells) {
      days[{day, place.anchor, place.anchorGender, place.viewerGender}].add(sum);
    }
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
