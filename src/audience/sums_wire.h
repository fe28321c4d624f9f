// What nodes with the role audience tell others of the sums of open sessions: the JSON of
// topic::kSessionSums. Pure types.
#pragma once

#include <limits>
#include <optional>

#include "base/ids.h"
#include "platform/json.h"

namespace tipflow::audience::wire {

using Number = Ranged<0, std::numeric_limits<std::int64_t>::max()>;
using IdNumber = Ranged<1, kIdEnd - 1>;
inline constexpr std::size_t kMany = 1'000'000;

struct SessionSum {
  IdNumber sessionId;
  Number tips;
  Number amount;  ///< fen
};
BOOST_DESCRIBE_STRUCT(SessionSum, (), (sessionId, tips, amount))

/// Sums of what one lane committed, from its first tip on.
struct LaneSums {
  IdNumber lane;
  json::List<SessionSum, 0, kMany> sums;
};
BOOST_DESCRIBE_STRUCT(LaneSums, (), (lane, sums))

/// Sums of all lanes up to `below` that are finished: all but those in `except`, whose own sums are
/// told by who writes them. Sessions that are not named got nothing through them.
struct FinishedSums {
  Number round;
  Number lanes;  ///< how many these are
  Number below;
  json::List<IdNumber, 0, kMany> except;
  json::List<SessionSum, 0, kMany> sums;
};
BOOST_DESCRIBE_STRUCT(FinishedSums, (), (round, lanes, below, except, sums))

struct SumsNews {
  /// Whether all sessions of these lanes are named; else those that are not are as told before.
  bool whole = false;
  json::List<LaneSums, 0, kMany> lanes;
  std::optional<FinishedSums> finished;
};
BOOST_DESCRIBE_STRUCT(SumsNews, (), (whole, lanes, finished))

}  // namespace tipflow::audience::wire
