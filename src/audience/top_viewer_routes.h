// HTTP in and out of an anchor's board over all time.
#pragma once

#include "audience/top_viewers.h"
#include "platform/http/router.h"

namespace tipflow::audience {

void addTopViewerRoutes(http::Router& router, TopViewers& topViewers);

}  // namespace tipflow::audience
