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

/// The error that forbids this viewer to tip in this room, if any. A
/// guest has no age and counts as grown up.
[[nodiscard]] std::optional<ErrorCode> whyNotTip(const ViewerCard& viewer,
                                                 const anchor::RoomCard& room,
                                                 const TipPolicy& policy);

}  // namespace tipflow::audience
