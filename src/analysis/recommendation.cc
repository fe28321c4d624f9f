#include "analysis/recommendation.h"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace tipflow::analysis {
namespace {

double popularity(std::int64_t tips, std::int64_t most) {
  if (most <= 0) return 1;
  return 0.5 + 0.5 * std::log1p(static_cast<double>(std::max<std::int64_t>(0, tips))) /
                   std::log1p(static_cast<double>(most));
}

double unseen(const std::optional<Time>& seenAt, Time now) {
  if (!seenAt) return 1;
  const auto age = std::max<std::int64_t>(0, (now - *seenAt).count());
  const double halfLives = static_cast<double>(age) / static_cast<double>(kSeenHalfLife.count());
  return 1 - 0.5 * std::exp2(-halfLives);
}

/// The mean association, and what it is made of.
double mean(const std::vector<std::string>& viewerTags, const std::vector<std::string>& roomTags,
            const Associations& associations, std::vector<Reason>& because) {
  if (viewerTags.empty() || roomTags.empty()) return 0;
  double sum = 0;
  for (const auto& own : viewerTags) {
    for (const auto& tag : roomTags) {
      const double association = associations.of(own, tag);
      sum += association;
      if (association > 0) because.push_back({own, tag, association});
    }
  }
  std::stable_sort(because.begin(), because.end(),
                   [](const Reason& a, const Reason& b) { return a.association > b.association; });
  if (because.size() > kReasonsMost) because.resize(kReasonsMost);
  return sum / static_cast<double>(viewerTags.size() * roomTags.size());
}

}  // namespace

double Associations::of(const std::string& a, const std::string& b) const {
  if (a == b) return 1;
  const auto first = tags_.find(a);
  const auto second = tags_.find(b);
  const auto both = pairs_.find(pairOf(a, b));
  if (first == tags_.end() || second == tags_.end() || both == pairs_.end()) return 0;
  return associationOf(first->second, second->second, both->second);
}

std::vector<RankedRoom> rankRooms(const std::vector<std::string>& viewerTags,
                                  const std::vector<CandidateRoom>& rooms,
                                  const Associations& associations, Time now, std::size_t limit) {
  std::int64_t most = 0;
  for (const auto& room : rooms) most = std::max(most, room.recentTips);
  std::vector<RankedRoom> ranked;
  ranked.reserve(rooms.size());
  for (std::size_t place = 0; place < rooms.size(); ++place) {
    const auto& room = rooms[place];
    RankedRoom one{.candidate = place, .score = 0, .because = {}};
    one.score = mean(viewerTags, room.tags, associations, one.because) *
                popularity(room.recentTips, most) * unseen(room.seenAt, now);
    ranked.push_back(std::move(one));
  }
  std::sort(ranked.begin(), ranked.end(), [&](const RankedRoom& a, const RankedRoom& b) {
    const auto key = [&](const RankedRoom& one) {
      const auto& room = rooms[one.candidate];
      return std::tuple(!room.live, -one.score, -room.recentTips, room.room);
    };
    return key(a) < key(b);
  });
  if (ranked.size() > limit) ranked.resize(limit);
  return ranked;
}

}  // namespace tipflow::analysis
