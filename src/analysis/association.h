// Which tags go together: the arithmetic. Pure; no database, no clock. Weights are integers and a
// function of sums and newest instants alone, so neither the order of events nor the order of the
// computation shows in a score (docs/decisions/0010).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"

namespace tipflow::analysis {

/// Of a viewer, and of a room: more are left out, so that a viewer has at most 190 pairs.
inline constexpr std::size_t kTagsMost = 20;
/// Who watched a room for so long was active in it, as who tipped there was.
inline constexpr std::int64_t kWatchedSeconds = 30;
inline constexpr std::int64_t kHalfLifeDays = 30;
/// A pair that so many viewers have counts half of what its numbers say; ten times as many, ten
/// elevenths.
inline constexpr std::int64_t kShrinkageViewers = 5;

/// What one viewer did in one room, all told, and the room's tags.
struct RoomActivity {
  std::vector<std::string> tags;
  std::int64_t tips = 0;
  std::int64_t watchedSeconds = 0;
  Time lastAt;
};

struct TagWeight {
  std::string tag;
  std::int64_t weight = 0;  ///< > 0
  friend bool operator==(const TagWeight&, const TagWeight&) = default;
};
/// A viewer's tags, in the order of their names, at most kTagsMost.
using TagWeights = std::vector<TagWeight>;

/// Days since 1970-01-01, UTC.
std::int64_t dayOf(Time time);

/// The weights of a viewer who is called `carried` and did `rooms`, in units of which 1,024 are one
/// viewer who watched on `baseDay`. An activity `kHalfLifeDays` later weighs twice as much, so that
/// all weights of one base have the decay since then in common.
TagWeights weightsOf(const std::vector<RoomActivity>& rooms,
                     const std::vector<std::string>& carried, std::int64_t baseDay);

/// One line a tag; for the store.
std::string encode(const TagWeights& weights);
/// Throws std::invalid_argument.
TagWeights decodeWeights(std::string_view text);
std::string encode(const std::vector<std::string>& tags);
std::vector<std::string> decodeTags(std::string_view text);

/// Of a tag, or of two: the weights of the viewers who have it, and how many they are.
struct TagSum {
  std::int64_t weight = 0;
  std::int64_t viewers = 0;

  void add(const TagSum& other) {
    weight += other.weight;
    viewers += other.viewers;
  }
  friend bool operator==(const TagSum&, const TagSum&) = default;
};

/// Two tags, the lesser name first; never the same one twice.
using TagPair = std::pair<std::string, std::string>;
TagPair pairOf(std::string a, std::string b);

/// Sums over viewers, or what is to be added to sums: addition commutes, whatever is added in
/// whichever order comes to the same.
class TagSums {
 public:
  void add(const TagWeights& weights) { count(weights, 1); }
  void remove(const TagWeights& weights) { count(weights, -1); }

  [[nodiscard]] const std::map<std::string, TagSum>& tags() const { return tags_; }
  [[nodiscard]] const std::map<TagPair, TagSum>& pairs() const { return pairs_; }

 private:
  void count(const TagWeights& weights, int sign);

  std::map<std::string, TagSum> tags_;
  std::map<TagPair, TagSum> pairs_;
};

/// How much two tags go together, in [0, 1]; the same for (a, b) and (b, a).
double associationOf(const TagSum& a, const TagSum& b, const TagSum& both);

}  // namespace tipflow::analysis
