// HTTP for the kept log lines and traces; operators only.
#pragma once

#include "console/records.h"
#include "platform/http/router.h"

namespace tipflow::console {

void addRecordRoutes(http::Router& router, Records& records);

}  // namespace tipflow::console
