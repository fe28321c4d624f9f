#include "analysis/watching.h"

#include <algorithm>
#include <map>
#include <utility>

#include "analysis/association_store.h"

namespace tipflow::analysis {
namespace {

constexpr std::int64_t kSecondsMost = 86'400;
constexpr std::size_t kAtOnce = 1'000;

std::vector<tagstore::Activity> activityOf(const anchor::AnchorClient& anchors,
                                           const std::vector<Watched>& watched) {
  std::map<std::pair<ViewerId, AnchorId>, tagstore::Activity> merged;
  for (const auto& one : watched) {
    const auto card = one.seconds > 0 ? anchors.room(one.roomId) : std::nullopt;
    if (!card) continue;
    auto& activity = merged[{one.viewerId, card->anchor}];
    activity.viewer = one.viewerId;
    activity.anchor = card->anchor;
    activity.watchedSeconds += std::min(one.seconds, kSecondsMost);
    activity.lastAt = std::max(activity.lastAt, one.at);
  }
  std::vector<tagstore::Activity> activity;
  activity.reserve(merged.size());
  for (const auto& [_, one] : merged) activity.push_back(one);
  return activity;
}

}  // namespace

drogon::Task<> keepWatched(db::Database& db2, const anchor::AnchorClient* anchors,
                           std::vector<Watched> watched) {
  if (anchors == nullptr) co_return;
  const auto activity = activityOf(*anchors, watched);
  for (std::size_t at = 0; at < activity.size(); at += kAtOnce) {
    const auto end = std::min(activity.size(), at + kAtOnce);
    auto write = [part = std::vector(activity.begin() + static_cast<std::ptrdiff_t>(at),
                                     activity.begin() + static_cast<std::ptrdiff_t>(end))](
                     db::Connection& c) { tagstore::addActivity(c, part); };
    co_await db2.write(std::move(write));
  }
}

}  // namespace tipflow::analysis
