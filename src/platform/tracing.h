// Which traces have their spans kept. A node keeps the first so many of each second from end to
// end; of the rest it keeps the requests that failed or were slow.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "base/random.h"
#include "base/time.h"
#include "base/trace_context.h"

namespace tipflow {

struct TracingLimits {
  std::int64_t perSecond = 50;
  Duration slow{500 * kUsPerMs};
};

/// Thread-safe as far as `random` is.
class Tracing {
 public:
  Tracing(TracingLimits limits, Random& random) : limits_(limits), random_(random) {}

  /// The span of a request that came at `now`, in the trace it belongs to or one of its own. A
  /// trace that its sender does not keep is not kept here; one that it keeps counts like any other,
  /// for whoever asks from outside must not fill our disks.
  TraceContext begin(const std::optional<TraceContext>& parent, Time now) {
    TraceContext own = parent ? *parent : TraceContext{{random_.bits(), random_.bits()}, 0, true};
    own.span = newSpan();
    own.sampled = own.sampled && admit(now);
    return own;
  }
  [[nodiscard]] bool keeps(const TraceContext& context, bool failed, Duration took) const {
    return context.sampled || failed || took >= limits_.slow;
  }
  /// Never 0, which means none.
  std::uint64_t newSpan() { return random_.bits() | 1U; }

 private:
  /// Counts in the low half, the second it counts for in the high half.
  bool admit(Time now) {
    const auto second = static_cast<std::uint64_t>(now.us / kUsPerSecond) << kHalf;
    auto seen = admitted_.load(std::memory_order_relaxed);
    for (;;) {
      const bool same = (seen >> kHalf) == (second >> kHalf);
      const auto count = same ? seen & kCount : 0;
      if (static_cast<std::int64_t>(count) >= limits_.perSecond) return false;
      const auto next = second | (count + 1);
      if (admitted_.compare_exchange_weak(seen, next, std::memory_order_relaxed)) return true;
    }
  }

  static constexpr unsigned kHalf = 32;
  static constexpr std::uint64_t kCount = 0xFFFF'FFFFU;

  TracingLimits limits_;
  Random& random_;
  std::atomic<std::uint64_t> admitted_{0};
};

}  // namespace tipflow
