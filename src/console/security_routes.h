// HTTP in and out for blocked networks and the operators' log, and who may use what.
#pragma once

#include "console/action_log.h"
#include "console/blocks.h"
#include "platform/http/router.h"

namespace tipflow::console {

void addSecurityRoutes(http::Router& router, Blocks& blocks, ActionLog& actions);

}  // namespace tipflow::console
