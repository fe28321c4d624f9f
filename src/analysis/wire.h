// How nodes with the role analysis answer others: the JSON of /internal/v1/analysis. Pure types.
#pragma once

#include <limits>
#include <optional>

#include "analysis/client.h"
#include "platform/json.h"

namespace tipflow::analysis::wire {

using Number = Ranged<0, std::numeric_limits<std::int64_t>::max()>;
using IdNumber = Ranged<1, kIdEnd - 1>;
inline constexpr std::size_t kMostViewers = 10'000;
inline constexpr std::size_t kMostWatched = 5'000;

struct Portrait {
  IdNumber viewerId;
  Number total;  ///< fen
  Number tips;
  Number rank;
  Number viewers;
  Tier tier = Tier::none;
  Number round;
  Number updatedAt;  ///< microseconds, as are all times here
};
BOOST_DESCRIBE_STRUCT(Portrait, (), (viewerId, total, tips, rank, viewers, tier, round, updatedAt))
/// Answer of GET /internal/v1/analysis/portraits/{viewer}.
struct PortraitReply {
  std::optional<Portrait> portrait;
};
BOOST_DESCRIBE_STRUCT(PortraitReply, (), (portrait))

/// Body of POST /internal/v1/analysis/tiers, and its answer.
struct TiersRequest {
  json::List<IdNumber, 0, kMostViewers> viewers;
};
BOOST_DESCRIBE_STRUCT(TiersRequest, (), (viewers))
struct ViewerTier {
  IdNumber viewerId;
  Tier tier = Tier::none;
};
BOOST_DESCRIBE_STRUCT(ViewerTier, (), (viewerId, tier))
struct TiersReply {
  json::List<ViewerTier, 0, kMostViewers> tiers;
};
BOOST_DESCRIBE_STRUCT(TiersReply, (), (tiers))

/// Answer of GET /internal/v1/analysis/counted/{tip}.
struct CountedReply {
  std::optional<Number> by;
};
BOOST_DESCRIBE_STRUCT(CountedReply, (), (by))

struct Watched {
  IdNumber viewerId;
  IdNumber roomId;
  Number seconds;
  Number at;
};
BOOST_DESCRIBE_STRUCT(Watched, (), (viewerId, roomId, seconds, at))
/// Body of POST /internal/v1/analysis/watched; the answer says how many were noted.
struct WatchedRequest {
  json::List<Watched, 1, kMostWatched> watched;
};
BOOST_DESCRIBE_STRUCT(WatchedRequest, (), (watched))
struct Noted {
  Number count;
};
BOOST_DESCRIBE_STRUCT(Noted, (), (count))

/// Answer of GET /internal/v1/analysis/disagreement.
struct Disagreement {
  Number by;
};
BOOST_DESCRIBE_STRUCT(Disagreement, (), (by))

}  // namespace tipflow::analysis::wire
