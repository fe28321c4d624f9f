// Boards of who gave most: the order, the ranks, and who sees which names. Pure; the board of a
// session and that of all time are both made here (clarifications.md rule 6).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "audience/client.h"
#include "base/enums.h"

namespace tipflow::audience {

enum class LeaderboardPolicy {
  everyone,   ///< names are shown to whoever is signed in
  masked,     ///< operators see names, others only their beginning
  operators,  ///< operators alone see the board
};

/// What one viewer gave.
struct ViewerSum {
  ViewerId viewer;
  Fen amount;
};

/// Whether the board is shown at all.
[[nodiscard]] bool showsBoard(LeaderboardPolicy policy, bool asOperator);

/// The first `limit` places, their names empty. Larger amounts first, equal ones by viewer; a rank
/// is 1 + the number of viewers who gave more, so that equal amounts share one.
[[nodiscard]] std::vector<BoardPlace> boardOf(std::vector<ViewerSum> given, std::size_t limit);

/// The first character, then three stars: neither the rest nor its length can be told.
[[nodiscard]] std::string maskedName(std::string_view name);

/// Takes out of `places` what the policy hides: names are masked, and with them goes the viewer's
/// id (0 from then on), which would lead back to the name.
void hideNames(LeaderboardPolicy policy, bool asOperator, std::vector<BoardPlace>& places);

}  // namespace tipflow::audience

template <>
struct tipflow::EnumWords<tipflow::audience::LeaderboardPolicy> {
  using Policy = audience::LeaderboardPolicy;
  static constexpr std::array values{std::pair{std::string_view{"everyone"}, Policy::everyone},
                                     std::pair{std::string_view{"masked"}, Policy::masked},
                                     std::pair{std::string_view{"operators"}, Policy::operators}};
};
