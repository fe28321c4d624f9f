// HTTP in and out of alerts and run-time settings.
#pragma once

#include "console/alerts.h"
#include "console/settings.h"
#include "platform/http/router.h"

namespace tipflow::console {

void addAlertRoutes(http::Router& router, Alerts& alerts, Settings& settings);

}  // namespace tipflow::console
