// The finance role's HTTP: translation in and out, nothing else.
#pragma once

#include "finance/service.h"
#include "platform/http/router.h"

namespace tipflow::finance {

void addRoutes(http::Router& router, Service& service, SandboxProvider& sandbox);

}  // namespace tipflow::finance
