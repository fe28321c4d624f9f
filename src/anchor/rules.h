// When bans, kicks and mutes hold, and which tags a page shows. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "anchor/client.h"
#include "audience/client.h"
#include "base/result.h"

namespace tipflow::anchor {

/// Whether what lasts until `until` still holds: at that very instant it is over.
[[nodiscard]] inline bool holds(Time until, Time now) { return now < until; }
/// `until`, while it holds.
[[nodiscard]] std::optional<Time> whileItHolds(std::optional<Time> until, Time now);

/// The state of a room that is stored as `stored`: a ban whose time is over is none, and the room
/// is off until its anchor opens it. A ban without an end lasts until it is lifted.
[[nodiscard]] RoomState stateAt(RoomState stored, std::optional<Time> bannedUntil, Time now);

/// Why a ban until then makes no sense, if it does not.
[[nodiscard]] std::optional<FieldError> faultOfBan(std::optional<Time> until, Time now);

/// A tag, and how many rooms and viewers carry it.
struct TagCount {
  std::string tag;
  std::int64_t rooms = 0;
  std::int64_t viewers = 0;
};
/// The first `limit` tags of both lists, each in byte order and each whole up to `limit` entries.
[[nodiscard]] std::vector<TagCount> firstTags(const std::vector<audience::TagUse>& rooms,
                                              const std::vector<audience::TagUse>& viewers,
                                              std::size_t limit);

}  // namespace tipflow::anchor
