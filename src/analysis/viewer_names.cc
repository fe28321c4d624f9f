#include "analysis/viewer_names.h"

#include <algorithm>

#include "platform/db/connection.h"
#include "platform/deadline.h"
#include "platform/log.h"

namespace tipflow::analysis {

std::vector<ViewerId> ViewerNames::recall(const std::vector<ViewerId>& viewers,
                                          std::unordered_map<ViewerId, Facts>& found) {
  std::vector<ViewerId> missing;
  const Time now = clock_.now();
  const std::lock_guard lock(mutex_);
  for (const auto viewer : viewers) {
    const auto kept = kept_.find(viewer);
    if (kept != kept_.end() && kept->second.until > now) {
      found[viewer] = kept->second.facts;
    } else {
      found[viewer] = {std::to_string(viewer.value), {}, false, false};
      missing.push_back(viewer);
    }
  }
  return missing;
}

void ViewerNames::keep(const audience::ViewerFacts& facts,
                       std::unordered_map<ViewerId, Facts>& found) {
  const Facts known{facts.name, facts.tags, true, true};
  found[facts.id] = known;
  const std::lock_guard lock(mutex_);
  if (kept_.size() >= kMost) kept_.clear();
  kept_.insert_or_assign(facts.id, Kept{known, clock_.now() + kFor});
}

drogon::Task<std::unordered_map<ViewerId, ViewerNames::Facts>> ViewerNames::of(
    std::vector<ViewerId> viewers) {
  std::unordered_map<ViewerId, Facts> found;
  const auto missing = recall(viewers, found);
  if (audience_ == nullptr) co_return found;
  for (std::size_t at = 0; at < missing.size(); at += audience::kFactsMost) {
    const auto end = std::min(missing.size(), at + audience::kFactsMost);
    std::vector<ViewerId> batch(missing.begin() + static_cast<std::ptrdiff_t>(at),
                                missing.begin() + static_cast<std::ptrdiff_t>(end));
    try {
      auto asking = within(kPatience, audience_->viewerFacts(batch));
      const auto facts = co_await std::move(asking);
      if (!facts) break;
      for (const auto viewer : batch) found[viewer].asked = true;
      for (const auto& one : *facts) keep(one, found);
    } catch (const db::Error& error) {
      log::line(log::Level::debug, "analysis", {}, "viewers' names cannot be asked for",
                log::field("error", std::string_view(error.what())));
      break;
    }
  }
  co_return found;
}

}  // namespace tipflow::analysis
