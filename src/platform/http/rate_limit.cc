#include "platform/http/rate_limit.h"

#include <algorithm>
#include <vector>

namespace tipflow {
namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;
constexpr std::int64_t kNsPerUs = 1'000;

}  // namespace

RateLimit::RateLimit(std::int64_t perSecond, std::int64_t burst)
    : intervalNs_(perSecond > 0 ? std::max<std::int64_t>(kNsPerSecond / perSecond, 1) : 0),
      depthNs_(intervalNs_ * std::max<std::int64_t>(burst, 1)) {}

Duration RateLimit::take(const Key& key, Time now) {
  if (!on()) return Duration{0};
  const std::int64_t nowNs = now.us * kNsPerUs;
  auto& shard = shards_[(Hash{}(key) >> 32) % kShards];
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.fullAt.find(key);
  // Never fuller than full; and never emptier than empty, should the clock have been set back.
  const auto fullAt =
      found == shard.fullAt.end() ? nowNs : std::clamp(found->second, nowNs, nowNs + depthNs_);
  const auto excess = fullAt + intervalNs_ - (nowNs + depthNs_);
  if (excess > 0) {
    found->second = fullAt;
    return Duration{(excess + kNsPerUs - 1) / kNsPerUs};
  }
  if (found != shard.fullAt.end()) {
    found->second = fullAt + intervalNs_;
  } else {
    if (shard.fullAt.size() >= kMostKeys / kShards) makeRoom(shard, nowNs);
    shard.fullAt.emplace(key, fullAt + intervalNs_);
  }
  return Duration{0};
}

// Buckets that are full go first. When that is not enough, the fuller half of the rest: it loses
// the least.
void RateLimit::makeRoom(Shard& shard, std::int64_t nowNs) {
  std::erase_if(shard.fullAt, [&](const auto& entry) { return entry.second <= nowNs; });
  if (shard.fullAt.size() < kMostKeys / kShards) return;
  std::vector<std::int64_t> instants;
  instants.reserve(shard.fullAt.size());
  for (const auto& entry : shard.fullAt) instants.push_back(entry.second);
  const auto middle = instants.begin() + static_cast<std::ptrdiff_t>(instants.size() / 2);
  std::nth_element(instants.begin(), middle, instants.end());
  std::erase_if(shard.fullAt, [&](const auto& entry) { return entry.second <= *middle; });
}

std::size_t RateLimit::keys() {
  std::size_t count = 0;
  for (auto& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    count += shard.fullAt.size();
  }
  return count;
}

// Well mixed in all bits: the upper ones choose the shard, the lower ones the place in it.
std::size_t RateLimit::Hash::operator()(const Key& key) const {
  std::uint64_t mixed = key.first * 0x9E3779B97F4A7C15ULL ^ key.second;
  mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9ULL;
  mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EBULL;
  return mixed ^ mixed >> 31;
}

}  // namespace tipflow
