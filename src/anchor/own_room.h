// Who acts on a room: operators on any, an anchor on its own.
#pragma once

#include "anchor/client.h"
#include "platform/http/call.h"

namespace tipflow::anchor {

/// The room of the path, for an operator or the room's own anchor; for others as for a room that is
/// not theirs, whether it exists or not.
inline RoomId ownRoom(const http::Call& call, const AnchorClient& rooms) {
  const auto id = call.pathId<RoomId>(0, ErrorCode::room_not_found);
  if (call.isOperator()) return id;
  const auto card = rooms.room(id);
  if (!card || card->anchor != call.anchor()) throw http::Refused(ErrorCode::forbidden);
  return id;
}

}  // namespace tipflow::anchor
