// The analysis role's HTTP: translation in and out, nothing else. Tags are in tag_routes.h.
#pragma once

#include "analysis/reports.h"
#include "analysis/service.h"
#include "platform/http/router.h"

namespace tipflow::analysis {

void addRoutes(http::Router& router, Reports& reports, Service& service);

}  // namespace tipflow::analysis
