// HTTP for operators' views of the cluster: its nodes and its databases.
#pragma once

#include "console/databases.h"
#include "console/nodes.h"
#include "platform/http/router.h"

namespace tipflow::console {

void addNodeRoutes(http::Router& router, Nodes& nodes, Databases& databases);

}  // namespace tipflow::console
