// The nodes of one role as a caller sees them: which is called next, and which is left out for a
// while because its last calls failed. Pure: time and randomness are handed in.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/time.h"

namespace tipflow::rpc {

struct EjectionLimits {
  int failures = 5;                    ///< in a row, before a node is left out
  Duration first{kUsPerSecond};        ///< for how long, the first time
  Duration longest{8 * kUsPerSecond};  ///< each time after doubles it, up to this
};

/// One node as it is shown to people.
struct PeerView {
  std::string address;
  int inFlight = 0;
  bool ejected = false;
};

/// Not thread-safe: the caller holds a lock.
class Peers {
 public:
  explicit Peers(EjectionLimits limits) : limits_(limits) {}

  /// The nodes there are now, `host:port`; what is known of those that stay is kept.
  void set(std::span<const std::string> addresses);

  /// A node to call: the one with fewer calls under way of two chosen at random, among those not
  /// left out; when all are left out, among all, for then the fault is more likely ours. Never
  /// `besides`, the node that was just tried. nullopt when there is none.
  std::optional<std::string> choose(Time now, Random& random, const std::string& besides = {});

  void onStart(const std::string& address);
  void onSuccess(const std::string& address);
  void onFailure(const std::string& address, Time now);

  [[nodiscard]] std::vector<PeerView> view(Time now) const;
  [[nodiscard]] bool empty() const { return peers_.empty(); }

 private:
  struct Peer {
    std::string address;
    int inFlight = 0;
    int failures = 0;
    int ejections = 0;
    Time ejectedUntil{};
  };
  Peer* find(const std::string& address);

  EjectionLimits limits_;
  std::vector<Peer> peers_;
};

}  // namespace tipflow::rpc
