// Sums of open sessions over the lanes that nobody writes any more: SQL in, types out.
#pragma once

#include <string>
#include <vector>

#include "anchor/client.h"
#include "audience/sums_wire.h"
#include "platform/db/connection.h"

namespace tipflow::audience::store {

/// Which lanes are finished, as `process` of `node` sees it: closed ones, and those whose process
/// is gone together with its connection. `alive`: lanes that are known to be written. Sums are left
/// empty.
wire::FinishedSums finishedLanes(db::Connection& connection, const std::string& node,
                                 const std::string& process, const std::vector<LaneId>& alive);
/// What the sessions got through those lanes; those that got nothing are left out.
void addSums(db::Connection& connection, const std::vector<anchor::RoomCard>& live,
             wire::FinishedSums& finished);

}  // namespace tipflow::audience::store
