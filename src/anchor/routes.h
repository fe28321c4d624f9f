// The anchor role's HTTP: translation in and out, nothing else.
#pragma once

#include "anchor/service.h"
#include "anchor/statistics.h"
#include "platform/http/router.h"

namespace tipflow::anchor {

void addRoutes(http::Router& router, Service& service, Statistics& statistics);

}  // namespace tipflow::anchor
