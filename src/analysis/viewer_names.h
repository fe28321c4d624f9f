// Who viewers are, asked of the audience role in batches and remembered for a while. When it is
// away, or does not know a viewer, the id stands for the name.
#pragma once

#include <mutex>
#include <unordered_map>
#include <vector>

#include "audience/client.h"

namespace tipflow::analysis {

class ViewerNames {
 public:
  /// Names change rarely; a change is seen after this long.
  static constexpr Duration kFor{60 * kUsPerSecond};
  static constexpr std::size_t kMost = 100'000;
  /// Whoever asks does not wait longer than this.
  static constexpr Duration kPatience{kUsPerSecond};

  /// `audience` null: it is away.
  ViewerNames(audience::AudienceClient* audience, const Clock& clock)
      : audience_(audience), clock_(clock) {}

  struct Facts {
    std::string name;
    std::vector<std::string> tags;
    bool known = false;  ///< the audience role has such a viewer
    bool asked = false;  ///< and could be asked
  };
  /// Of each of `viewers`.
  drogon::Task<std::unordered_map<ViewerId, Facts>> of(std::vector<ViewerId> viewers);

 private:
  struct Kept {
    Facts facts;
    Time until;
  };
  std::vector<ViewerId> recall(const std::vector<ViewerId>& viewers,
                               std::unordered_map<ViewerId, Facts>& found);
  void keep(const audience::ViewerFacts& facts, std::unordered_map<ViewerId, Facts>& found);

  audience::AudienceClient* audience_;
  const Clock& clock_;
  std::mutex mutex_;
  std::unordered_map<ViewerId, Kept> kept_;
};

}  // namespace tipflow::analysis
