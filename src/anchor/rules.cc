#include "anchor/rules.h"

#include <map>

namespace tipflow::anchor {

std::optional<Time> whileItHolds(std::optional<Time> until, Time now) {
  return until && holds(*until, now) ? until : std::nullopt;
}

RoomState stateAt(RoomState stored, std::optional<Time> bannedUntil, Time now) {
  const bool over = stored == RoomState::banned && bannedUntil && !holds(*bannedUntil, now);
  return over ? RoomState::off : stored;
}

std::optional<FieldError> faultOfBan(std::optional<Time> until, Time now) {
  if (!until || holds(*until, now)) return std::nullopt;
  return FieldError{"until", ErrorCode::out_of_range, "must be later than now"};
}

std::vector<TagCount> firstTags(const std::vector<audience::TagUse>& rooms,
                                const std::vector<audience::TagUse>& viewers, std::size_t limit) {
  std::map<std::string, TagCount> merged;
  for (const auto& use : rooms) merged[use.tag].rooms = use.count;
  for (const auto& use : viewers) merged[use.tag].viewers = use.count;
  std::vector<TagCount> first;
  for (auto& [tag, count] : merged) {
    if (first.size() == limit) break;
    count.tag = tag;
    first.push_back(std::move(count));
  }
  return first;
}

}  // namespace tipflow::anchor
