// Rooms with their anchors, page by page, as other nodes keep them: SQL in, types out.
#pragma once

#include <optional>
#include <vector>

#include "anchor/store.h"

namespace tipflow::anchor::store {

/// One room, or one anchor's, or those with ids beyond `after`.
struct CardFilter {
  std::optional<RoomId> room;
  std::optional<AnchorId> anchor;
  RoomId after;
};
/// At most `limit`, in the order of the rooms' ids.
std::vector<Cards> cardPage(db::Connection& connection, const CardFilter& filter,
                            std::size_t limit);

}  // namespace tipflow::anchor::store
