// The pusher: moves one lane's committed tips to finance, in order, one batch at a time.
// A protocol core. It holds a bounded tail of what was just committed; whatever it does not hold is
// read back from DB1, and where to go on is always what finance's cursor says.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "finance/ledger.h"

namespace tipflow::audience {

struct PusherLimits {
  std::size_t batch = 2'000;  ///< tips a push at most
  std::size_t tail = 50'000;  ///< tips kept in memory at most
  /// Between two pushes that are not full. The first tip after a pause goes at once.
  Duration gather = Duration{0};
  Duration heldBackPause = Duration{200'000};
  Duration firstPause = Duration{50'000};  ///< after a failure; doubles up to
  Duration longestPause = Duration{2'000'000};
};

class Pusher {
 public:
  /// Everything known to be committed is settled.
  struct Idle {};
  struct WaitUntil {
    Time time;
  };
  struct AskCursor {};
  /// Read up to `limit` tips of the lane after `after` from DB1, in number order.
  struct Load {
    LaneSeq after;
    std::size_t limit;
  };
  struct Push {
    LaneSeq from;
    LaneSeq to;
    std::vector<finance::LedgerTip> tips;
  };
  using Action = std::variant<Idle, WaitUntil, AskCursor, Load, Push>;

  Pusher(LaneId lane, PusherLimits limits) : lane_(lane), limits_(limits) {}

  [[nodiscard]] LaneId lane() const { return lane_; }
  /// Tips known to be committed and not known to be settled.
  [[nodiscard]] std::int64_t lag() const {
    return std::max<std::int64_t>(0, committed_.value - lastCursor_.value);
  }
  /// No tip that is committed and not settled was accepted before this, as far as is known here;
  /// nullopt when none waits.
  [[nodiscard]] std::optional<Time> oldestWaiting() const;
  [[nodiscard]] std::optional<LaneSeq> cursor() const { return cursor_; }

  /// The lane committed these: numbers follow on from those told before.
  void onCommitted(std::span<const finance::LedgerTip> tips);
  /// DB1 is known to hold tips up to `last` (an adopted lane, or a restart).
  void onSeen(LaneSeq last);

  Action next(Time now);

  void onCursor(LaneSeq cursor);
  /// What a Load found; fewer than exist only if DB1 lost something: throws BrokenInvariant when a
  /// tip that was committed is not there, or numbers have a hole.
  void onLoaded(std::vector<finance::LedgerTip> tips);
  void onAnswer(const finance::BatchAnswer& answer, Time now);
  /// Finance or DB1 could not be reached.
  void onFailed(Time now);

 private:
  void dropTailBelow(LaneSeq cursor);

  LaneId lane_;
  PusherLimits limits_;
  std::optional<LaneSeq> cursor_;
  LaneSeq lastCursor_{};  // as last heard, also while it must be asked for again
  LaneSeq committed_{};
  std::deque<finance::LedgerTip> tail_;  // consecutive numbers
  std::optional<Time> settledUpTo_;      // when the last tip that left the tail was accepted
  Time notBefore_{};
  Time gatherUntil_{};
  Duration pause_{0};
};

}  // namespace tipflow::audience
