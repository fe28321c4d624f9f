// The routes of tags' association and of recommendations.
#pragma once

#include "analysis/tag_service.h"
#include "platform/http/router.h"

namespace tipflow::analysis {

/// `service` outlives the router.
void addTagRoutes(http::Router& router, TagService& service);

}  // namespace tipflow::analysis
