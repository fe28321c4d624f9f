// How often something may happen for each of many keys: a token bucket a key. Memory is bounded;
// a bucket that is full again is the same as none and is dropped when room is needed.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "base/time.h"

namespace tipflow {

class RateLimit {
 public:
  using Key = std::pair<std::uint64_t, std::uint64_t>;
  static constexpr std::size_t kMostKeys = 262'144;

  /// `perSecond` 0: no limit. `burst`: how many at once after a pause, at least 1.
  RateLimit(std::int64_t perSecond, std::int64_t burst);

  [[nodiscard]] bool on() const { return intervalNs_ > 0; }
  /// Counts one for `key`: 0 when it is within the limit, else how long until it would be, and
  /// nothing is counted. Thread-safe.
  Duration take(const Key& key, Time now);
  /// How many buckets there are.
  [[nodiscard]] std::size_t keys();

 private:
  struct Hash {
    std::size_t operator()(const Key& key) const;
  };
  /// Of each key the instant, in nanoseconds, at which its bucket will be full.
  struct Shard {
    std::mutex mutex;
    std::unordered_map<Key, std::int64_t, Hash> fullAt;
  };
  static constexpr std::size_t kShards = 64;

  static void makeRoom(Shard& shard, std::int64_t nowNs);

  std::int64_t intervalNs_;  // in which one token comes
  std::int64_t depthNs_;     // in which an empty bucket fills
  std::array<Shard, kShards> shards_;
};

}  // namespace tipflow
