#include "console/action_log.h"

#include <limits>
#include <map>
#include <tuple>

namespace tipflow::console {
namespace {

using http::OperatorAction;

constexpr http::OperatorActionPlace kNewest{Time{std::numeric_limits<std::int64_t>::max()}, kIdEnd};

ShownAction shown(OperatorAction action) {
  return {action.at,
          action.operatorId,
          std::move(action.operatorName),
          std::move(action.action),
          std::move(action.object),
          std::move(action.before),
          std::move(action.after),
          std::move(action.address),
          action.traceId,
          std::move(action.outcome)};
}

/// Of two parts, each newest first, the newest `pageSize`; moves `places` behind what was taken.
std::vector<ShownAction> merge(std::array<std::vector<OperatorAction>, 2> parts,
                               std::size_t pageSize, ActionLog::Places& places) {
  std::vector<ShownAction> merged;
  std::array<std::size_t, 2> taken{};
  const auto has = [&](std::size_t part) { return taken[part] < parts[part].size(); };
  while (merged.size() < pageSize && (has(0) || has(1))) {
    const bool first = has(0) && (!has(1) || parts[0][taken[0]].at >= parts[1][taken[1]].at);
    const std::size_t part = first ? 0 : 1;
    auto& action = parts[part][taken[part]++];
    places[part] = {action.at, action.id};
    merged.push_back(shown(std::move(action)));
  }
  return merged;
}

}  // namespace

drogon::Task<ActionPage> ActionLog::list(http::OperatorActionFilter filter,
                                         std::optional<std::vector<std::int64_t>> token,
                                         int pageSize) {
  Places places{kNewest, kNewest};
  if (token) {
    places = {http::OperatorActionPlace{Time{(*token)[0]}, (*token)[1]},
              http::OperatorActionPlace{Time{(*token)[2]}, (*token)[3]}};
  }
  ActionPage page;
  std::array<std::vector<OperatorAction>, 2> found;
  for (std::size_t part = 0; part < parts_.size(); ++part) {
    if (parts_[part] == nullptr) {
      page.complete = false;
      continue;
    }
    found[part] = co_await parts_[part]->newest(filter, places[part], pageSize + 1);
  }
  const auto size = static_cast<std::size_t>(pageSize);
  const bool more = found[0].size() + found[1].size() > size;
  page.items = merge(std::move(found), size, places);
  if (more) {
    page.nextPageToken =
        http::makePageToken({places[0].at.us, places[0].id, places[1].at.us, places[1].id});
  }
  co_await fillNames(page.items);
  co_return page;
}

// A role that could not ask for the name when it wrote left it empty.
drogon::Task<> ActionLog::fillNames(std::vector<ShownAction>& actions) {
  std::map<std::int64_t, std::string> names;
  for (auto& action : actions) {
    if (!action.operatorName.empty()) continue;
    auto known = names.find(action.operatorId);
    if (known == names.end()) {
      auto operatorName = co_await operators_.nameOf(action.operatorId);
      known = names.emplace(action.operatorId, std::move(operatorName)).first;
    }
    action.operatorName = known->second;
  }
}

}  // namespace tipflow::console
