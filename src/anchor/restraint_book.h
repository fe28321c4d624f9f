// Who may not enter or speak in which room, in memory: what is asked for every tip, chat and join.
// Safe for all threads.
#pragma once

#include <optional>
#include <shared_mutex>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "base/time.h"

namespace tipflow::anchor {

/// Both nullopt: the viewer is free to enter and to speak.
struct RestraintState {
  std::optional<Time> kickedUntil;
  std::optional<Time> mutedUntil;
  friend bool operator==(const RestraintState&, const RestraintState&) = default;
};

class RestraintBook {
 public:
  struct Entry {
    RoomId room;
    ViewerId viewer;
    RestraintState state;
  };

  /// All there is; what was there before is forgotten.
  void replace(const std::vector<Entry>& all);
  void set(const Entry& entry, Time now);
  /// What of it still holds.
  [[nodiscard]] RestraintState of(RoomId room, ViewerId viewer, Time now) const;
  [[nodiscard]] std::size_t size() const;

 private:
  struct Key {
    RoomId room;
    ViewerId viewer;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const noexcept {
      constexpr std::uint64_t kSpread = 0x9E3779B97F4A7C15;  // 2^64 / golden ratio
      const auto room = static_cast<std::uint64_t>(key.room.value);
      return static_cast<std::size_t>((room * kSpread) ^
                                      static_cast<std::uint64_t>(key.viewer.value));
    }
  };
  void dropExpired(Time now);

  mutable std::shared_mutex mutex_;
  std::unordered_map<Key, RestraintState, KeyHash> states_;
  std::size_t sweepAt_ = 1'024;
};

}  // namespace tipflow::anchor
