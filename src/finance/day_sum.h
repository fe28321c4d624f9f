// What was settled since an hour, for the operators' overview.
#pragma once

#include "finance/model.h"
#include "platform/db/connection.h"

namespace tipflow::finance::store {

/// Tips that were accepted in the hours from `hour` on, as far as they are settled.
Sum settledSince(db::Connection& connection, Time hour);

}  // namespace tipflow::finance::store
