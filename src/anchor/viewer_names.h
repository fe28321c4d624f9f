// Names of viewers, asked of the audience role, for lists that people read.
#pragma once

#include <drogon/utils/coroutine.h>

#include <string>
#include <unordered_map>
#include <vector>

#include "audience/client.h"

namespace tipflow::anchor {

/// `known`: whether the audience role could say. Then a viewer that is not among `names` does not
/// exist.
struct ViewerNames {
  bool known = false;
  std::unordered_map<ViewerId, std::string> names;

  [[nodiscard]] std::optional<std::string> of(ViewerId id) const {
    const auto found = names.find(id);
    return found == names.end() ? std::nullopt : std::optional(found->second);
  }
};

/// Nobody's name is known while `audience` is null or away.
drogon::Task<ViewerNames> namesOf(audience::AudienceClient* audience, std::vector<ViewerId> ids);

}  // namespace tipflow::anchor
