#include "audience/rules.h"

namespace tipflow::audience {

std::optional<ErrorCode> whyNotTip(const ViewerCard& viewer, const anchor::RoomCard& room,
                                   bool kicked, const TipPolicy& policy) {
  if (viewer.state == ViewerState::disabled) return ErrorCode::viewer_disabled;
  if (!policy.guestsMayTip && viewer.kind == ViewerKind::guest) {
    return ErrorCode::guests_may_not_tip;
  }
  if (!policy.minorsMayTip && viewer.age && *viewer.age < kAdultAge) {
    return ErrorCode::viewer_underage;
  }
  switch (room.state) {
    case anchor::RoomState::live:
      return kicked ? std::optional(ErrorCode::viewer_kicked) : std::nullopt;
    case anchor::RoomState::off:
      return ErrorCode::room_not_live;
    case anchor::RoomState::banned:
      return ErrorCode::room_banned;
  }
  return ErrorCode::room_not_live;
}

}  // namespace tipflow::audience
