#include "anchor/restraint_book.h"

#include <algorithm>
#include <mutex>

#include "anchor/rules.h"

namespace tipflow::anchor {
namespace {

constexpr std::size_t kFewest = 1'024;

RestraintState still(const RestraintState& state, Time now) {
  return {whileItHolds(state.kickedUntil, now), whileItHolds(state.mutedUntil, now)};
}

}  // namespace

void RestraintBook::replace(const std::vector<Entry>& all) {
  std::unordered_map<Key, RestraintState, KeyHash> states;
  for (const auto& entry : all) states[{entry.room, entry.viewer}] = entry.state;
  const std::unique_lock lock(mutex_);
  states_ = std::move(states);
  sweepAt_ = std::max(kFewest, 2 * states_.size());
}

void RestraintBook::set(const Entry& entry, Time now) {
  const Key key{entry.room, entry.viewer};
  const std::unique_lock lock(mutex_);
  if (still(entry.state, now) == RestraintState{}) {
    states_.erase(key);
    return;
  }
  states_[key] = entry.state;
  if (states_.size() >= sweepAt_) dropExpired(now);
}

RestraintState RestraintBook::of(RoomId room, ViewerId viewer, Time now) const {
  const std::shared_lock lock(mutex_);
  const auto found = states_.find({room, viewer});
  return found == states_.end() ? RestraintState{} : still(found->second, now);
}

std::size_t RestraintBook::size() const {
  const std::shared_lock lock(mutex_);
  return states_.size();
}

void RestraintBook::dropExpired(Time now) {
  std::erase_if(states_,
                [&](const auto& item) { return still(item.second, now) == RestraintState{}; });
  sweepAt_ = std::max(kFewest, 2 * states_.size());
}

}  // namespace tipflow::anchor
