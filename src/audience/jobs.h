// The scheduled jobs of the audience role.
#pragma once

#include <vector>

#include "platform/schedule/scheduler.h"

namespace tipflow::audience {

std::vector<schedule::JobSpec> jobs(db::Database& db1);

}  // namespace tipflow::audience
