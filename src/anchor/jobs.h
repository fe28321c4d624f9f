// The scheduled jobs of the anchor role.
#pragma once

#include <vector>

#include "platform/schedule/scheduler.h"

namespace tipflow::anchor {

/// `chatDays`: how long chat is kept.
std::vector<schedule::JobSpec> jobs(db::Database& db1, std::int64_t chatDays);

}  // namespace tipflow::anchor
