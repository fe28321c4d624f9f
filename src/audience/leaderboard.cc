#include "audience/leaderboard.h"

#include <algorithm>

namespace tipflow::audience {

bool showsBoard(LeaderboardPolicy policy, bool asOperator) {
  return asOperator || policy != LeaderboardPolicy::operators;
}

std::vector<BoardPlace> boardOf(std::vector<ViewerSum> given, std::size_t limit) {
  const auto end = given.begin() + static_cast<std::ptrdiff_t>(std::min(limit, given.size()));
  std::partial_sort(given.begin(), end, given.end(), [](const ViewerSum& a, const ViewerSum& b) {
    return a.amount != b.amount ? a.amount > b.amount : a.viewer < b.viewer;
  });
  std::vector<BoardPlace> places;
  for (auto place = given.begin(); place != end; ++place) {
    const bool tie = !places.empty() && places.back().amount == place->amount;
    const auto rank = static_cast<std::int64_t>(places.size()) + 1;
    places.push_back({tie ? places.back().rank : rank, place->viewer, {}, place->amount});
  }
  return places;
}

std::string maskedName(std::string_view name) {
  std::size_t end = name.empty() ? 0 : 1;
  while (end < name.size() && (static_cast<unsigned char>(name[end]) & 0xC0U) == 0x80U) ++end;
  return std::string(name.substr(0, end)) + "***";
}

void hideNames(LeaderboardPolicy policy, bool asOperator, std::vector<BoardPlace>& places) {
  if (asOperator || policy == LeaderboardPolicy::everyone) return;
  for (auto& place : places) {
    place.name = maskedName(place.name);
    place.viewerId = ViewerId{0};
  }
}

}  // namespace tipflow::audience
