// What other roles ask of the analysis role: what a viewer's giving comes to, and whom it is told
// that somebody watched.
#pragma once

#include <drogon/utils/coroutine.h>

#include <boost/describe.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/enums.h"
#include "base/ids.h"
#include "base/money.h"
#include "base/time.h"
#include "platform/json.h"

namespace tipflow::analysis {

/// By the lifetime total among all who ever tipped (clarifications.md rule 4); none: never tipped.
enum class Tier { none = 0, low = 1, middle = 2, high = 3 };

/// A viewer as the published round has it.
struct Portrait {
  ViewerId viewerId;
  Fen total;
  std::int64_t tips = 0;
  std::int64_t rank = 0;     ///< 1 + viewers with a larger total; 0 with tier none
  std::int64_t viewers = 0;  ///< whom the round ranked
  Tier tier = Tier::none;
  std::int64_t round = 0;
  Time updatedAt;  ///< when the round was published
};

/// That a viewer watched a room for so long, up to `at`.
struct Watched {
  ViewerId viewerId;
  RoomId roomId;
  std::int64_t seconds = 0;
  Time at;
};

class AnalysisClient {
 public:
  virtual ~AnalysisClient() = default;
  /// Of the published round, with tier none for whom it did not rank; nullopt before the first.
  virtual drogon::Task<std::optional<Portrait>> portrait(ViewerId viewer) = 0;
  /// Tiers of the published round; viewers who are not in it are left out.
  virtual drogon::Task<std::map<ViewerId, Tier>> tiers(std::vector<ViewerId> viewers) = 0;
  /// An instant by which the tip stood in the hourly sums; nullopt: it does not yet.
  virtual drogon::Task<std::optional<Time>> countedBy(TipId tip) = 0;
  virtual drogon::Task<> noteWatched(std::vector<Watched> watched) = 0;
  /// By how much the sums of analysis disagree with each other and with the cursors of the ledger
  /// (invariant I12); 0 when they agree, and while they are added up anew.
  virtual drogon::Task<std::int64_t> disagreement() = 0;
};

/// What a tier means, for people.
constexpr std::string_view description(Tier tier, bool chinese) {
  switch (tier) {
    case Tier::none:
      return chinese ? "尚未打赏。" : "Has not tipped yet.";
    case Tier::low:
      return chinese ? "低消费观众：累计打赏排在后 20%。"
                     : "Low spender: among the last 20 % by lifetime tips.";
    case Tier::middle:
      return chinese ? "中等消费观众：累计打赏排在 20% 到 80% 之间。"
                     : "Middle spender: between the first and the last 20 % by lifetime tips.";
    case Tier::high:
      return chinese ? "高消费观众：累计打赏排在前 20%。"
                     : "High spender: among the first 20 % by lifetime tips.";
  }
  return {};
}

/// A portrait as people see it, here and at the audience role.
struct ShownPortrait {
  ViewerId viewerId;
  std::string name;
  Fen total;
  std::int64_t tips = 0;
  std::optional<std::int64_t> rank;
  std::optional<double> topFraction;
  Tier tier = Tier::none;
  std::string description;
  std::vector<std::string> tags;
  std::optional<std::int64_t> round;
  std::optional<Time> updatedAt;
};
BOOST_DESCRIBE_STRUCT(ShownPortrait, (),
                      (viewerId, name, total, tips, rank, topFraction, tier, description, tags,
                       round, updatedAt))

/// nullopt: there was no round yet.
inline ShownPortrait shown(ViewerId viewer, const std::optional<Portrait>& portrait, bool chinese) {
  ShownPortrait answer;
  answer.viewerId = viewer;
  answer.description = description(portrait ? portrait->tier : Tier::none, chinese);
  if (!portrait) return answer;
  answer.tier = portrait->tier;
  answer.round = portrait->round;
  answer.updatedAt = portrait->updatedAt;
  if (portrait->tier == Tier::none) return answer;
  answer.total = portrait->total;
  answer.tips = portrait->tips;
  answer.rank = portrait->rank;
  answer.topFraction =
      static_cast<double>(portrait->rank - 1) / static_cast<double>(portrait->viewers);
  return answer;
}

}  // namespace tipflow::analysis

template <>
struct tipflow::EnumWords<tipflow::analysis::Tier> {
  using T = analysis::Tier;
  static constexpr std::array values{std::pair{std::string_view{"high"}, T::high},
                                     std::pair{std::string_view{"middle"}, T::middle},
                                     std::pair{std::string_view{"low"}, T::low},
                                     std::pair{std::string_view{"none"}, T::none}};
};
