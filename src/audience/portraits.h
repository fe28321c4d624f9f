// A viewer's portrait, which is analysis' to say: asked for with a deadline, and when it does not
// come, the last one that is known, marked as such.
#pragma once

#include <string>
#include <string_view>

#include "analysis/client.h"
#include "platform/cache.h"
#include "platform/db/database.h"
#include "platform/http/router.h"

namespace tipflow::audience {

// The last known portrait in the cache.
[[nodiscard]] std::string encodePortrait(const analysis::Portrait& portrait);
/// nullopt when `text` is not one.
[[nodiscard]] std::optional<analysis::Portrait> decodePortrait(std::string_view text);

class Portraits {
 public:
  static constexpr Duration kPatience{2 * kUsPerSecond};
  static constexpr Duration kRemembered{30 * kUsPerDay};

  /// `analysis` may be null: the role is away. `patience`: how long it is waited for.
  Portraits(db::Database& db1, analysis::AnalysisClient* analysis, Cache& cache,
            Duration patience = kPatience)
      : db1_(db1), analysis_(analysis), cache_(cache), patience_(patience) {}

  struct Answer {
    analysis::ShownPortrait portrait;
    bool stale = false;
  };
  /// Fails with viewer_not_found, and portrait_unavailable when there is not even an old one.
  drogon::Task<Result<Answer>> portrait(ViewerId viewer, bool chinese);

 private:
  /// What analysis answers: maybe that there was no round yet. nullopt: it does not answer.
  using Told = std::optional<std::optional<analysis::Portrait>>;
  drogon::Task<Told> ask(ViewerId viewer);

  db::Database& db1_;
  analysis::AnalysisClient* analysis_;
  Cache& cache_;
  Duration patience_;
};

void addPortraitRoutes(http::Router& router, Portraits& portraits);

}  // namespace tipflow::audience
