// The audience role's HTTP: translation in and out, nothing else.
#pragma once

#include "audience/tips.h"
#include "audience/viewers.h"
#include "platform/http/router.h"

namespace tipflow::audience {

void addRoutes(http::Router& router, ViewerService& viewers, TipService& tips);

}  // namespace tipflow::audience
