// HTTP in and out of scheduled jobs; operators only, changes by admins.
#pragma once

#include "console/job_control.h"
#include "platform/http/router.h"

namespace tipflow::console {

void addJobRoutes(http::Router& router, JobControl& jobs);

}  // namespace tipflow::console
