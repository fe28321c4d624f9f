// The table ip_block.
#pragma once

#include <vector>

#include "console/block_model.h"
#include "platform/db/connection.h"

namespace tipflow::console::store {

/// Those that hold at `now`, newest first, of ids below `before`.
std::vector<Block> blocks(db::Connection& connection, Time now, std::int64_t before, int limit);
/// nullopt when there is none, or it is over.
std::optional<Block> block(db::Connection& connection, std::int64_t id, Time now);
/// The networks that are blocked at `now`.
std::vector<std::string> blockedNetworks(db::Connection& connection, Time now);
/// A block of the same network gives way to this one; what is over is deleted.
std::int64_t addBlock(db::Connection& connection, const std::string& network,
                      const std::string& reason, std::optional<Time> until, std::int64_t by,
                      Time now);
void deleteBlock(db::Connection& connection, std::int64_t id);

}  // namespace tipflow::console::store
