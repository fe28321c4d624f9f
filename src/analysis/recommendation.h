// Which rooms a viewer may like: the arithmetic. Pure; no database, no clock.
#pragma once

#include <boost/describe.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analysis/association.h"
#include "base/ids.h"
#include "base/time.h"

namespace tipflow::analysis {

/// How much tags go together, for the pairs that were asked for. A tag goes with itself: 1.
class Associations {
 public:
  Associations(std::map<std::string, TagSum> tags, std::map<TagPair, TagSum> pairs)
      : tags_(std::move(tags)), pairs_(std::move(pairs)) {}

  [[nodiscard]] double of(const std::string& a, const std::string& b) const;

 private:
  std::map<std::string, TagSum> tags_;
  std::map<TagPair, TagSum> pairs_;
};

struct CandidateRoom {
  RoomId room;
  bool live = false;
  std::vector<std::string> tags;
  std::int64_t recentTips = 0;
  std::optional<Time> seenAt;  ///< when the viewer was last active there
};

/// A tag of the viewer's and one of the room's that go together.
struct Reason {
  std::string viewerTag;
  std::string roomTag;
  double association = 0;
};
BOOST_DESCRIBE_STRUCT(Reason, (), (viewerTag, roomTag, association))

struct RankedRoom {
  std::size_t candidate = 0;  ///< place among the candidates
  double score = 0;
  std::vector<Reason> because;  ///< the strongest first, at most kReasonsMost
};

inline constexpr std::size_t kReasonsMost = 3;
/// Of a room that was seen just now half the score is taken off, of one seen so long ago a quarter.
inline constexpr Duration kSeenHalfLife{kUsPerDay};

/// The best first: live rooms before others, then by score, then by id. A score is in [0, 1]: the
/// mean association of the viewer's tags with the room's, times 1/2 to 1 for the room's popularity
/// (logarithm of its recent tips beside the most popular room's), less up to half for having been
/// seen lately.
std::vector<RankedRoom> rankRooms(const std::vector<std::string>& viewerTags,
                                  const std::vector<CandidateRoom>& rooms,
                                  const Associations& associations, Time now, std::size_t limit);

}  // namespace tipflow::analysis
