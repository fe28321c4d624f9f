// Who acts on a room: operators on any, an anchor on its own.
#pragma once

#include "anchor/client.h"
#include "platform/http/call.h"

namespace tipflow::anchor {

/// The room of the path, for an operator or the room's own anchor; for others as for a room that is
/// not theirs, whether it exists or not.
inline drogon::Task<RoomId> ownRoom(const http::Call& call, AnchorClient& rooms) {
  const auto id = call.pathId<RoomId>(0, ErrorCode::room_not_found);
  if (call.isOperator()) co_return id;
  const auto owns = [&] {
    const auto card = rooms.room(id);
    return card && card->anchor == call.anchor();
  };
  // It may have been made on another node a moment ago.
  if (!owns()) co_await rooms.lookAgain(id);
  if (!owns()) throw http::Refused(ErrorCode::forbidden);
  co_return id;
}

}  // namespace tipflow::anchor
