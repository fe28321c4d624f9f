#include "anchor/viewer_names.h"

#include "platform/db/connection.h"
#include "platform/log.h"

namespace tipflow::anchor {

drogon::Task<ViewerNames> namesOf(audience::AudienceClient* audience, std::vector<ViewerId> ids) {
  ViewerNames found;
  if (audience == nullptr) co_return found;
  try {
    const auto facts = co_await audience->viewerFacts(std::move(ids));
    for (const auto& viewer : facts) found.names[viewer.id] = viewer.name;
    found.known = true;
  } catch (const db::Error& away) {
    log::warn("anchor", "audience is away", log::field("error", std::string_view(away.what())));
  }
  co_return found;
}

}  // namespace tipflow::anchor
