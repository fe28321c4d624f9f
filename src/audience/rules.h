// Who may tip, and where. Pure.
#pragma once

#include <optional>

#include "anchor/client.h"
#include "audience/viewer_card.h"
#include "base/result.h"

namespace tipflow::audience {

struct TipPolicy {
  bool guestsMayTip = true;
  bool minorsMayTip = false;
};

inline constexpr std::int64_t kAdultAge = 18;

/// The error that forbids this viewer to tip in this room, if any. A guest has no age and counts as
/// grown up. Whoever was sent out of the room (`kicked`) is not there to tip; who may not chat in
/// it may tip.
[[nodiscard]] std::optional<ErrorCode> whyNotTip(const ViewerCard& viewer,
                                                 const anchor::RoomCard& room, bool kicked,
                                                 const TipPolicy& policy);

}  // namespace tipflow::audience
