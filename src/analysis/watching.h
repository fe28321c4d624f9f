// What viewers watched, as the room role tells it: behaviour, from which tags are associated.
#pragma once

#include <vector>

#include "analysis/client.h"
#include "anchor/client.h"
#include "platform/db/database.h"

namespace tipflow::analysis {

/// Adds to what is known of the viewers. Rooms that are not known here and stretches without a
/// length are left out; one of more than a day counts as a day. What was told twice is counted
/// twice. Throws db::Error; part of a long list may then be kept. `anchors` null: nothing is kept.
drogon::Task<> keepWatched(db::Database& db2, const anchor::AnchorClient* anchors,
                           std::vector<Watched> watched);

}  // namespace tipflow::analysis
