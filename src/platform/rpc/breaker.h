// The circuit breaker of one role: when too many of the last calls failed, calls are refused at
// once for a while, then a few are let through to see whether it is over. Pure: time is handed in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "base/enums.h"
#include "base/time.h"

namespace tipflow::rpc {

struct BreakerLimits {
  std::size_t window = 100;            ///< calls looked back at
  std::size_t least = 20;              ///< calls in the window before it can open
  double failures = 0.5;               ///< share of failed calls that opens it
  Duration open{2 * kUsPerSecond};     ///< how long it stays open before the first probe
  Duration longest{4 * kUsPerSecond};  ///< each failed probe doubles that, up to this
  int probes = 3;                      ///< good probes in a row that close it
};

enum class BreakerState { closed, open, halfOpen };

/// Not thread-safe: the caller holds a lock.
class Breaker {
 public:
  explicit Breaker(BreakerLimits limits) : limits_(limits), wait_(limits.open) {}

  /// Whether a call may be made now. Half open, one probe at a time is let through; whoever gets
  /// one must report how it ended.
  [[nodiscard]] bool admits(Time now);
  void onSuccess(Time now);
  void onFailure(Time now);
  /// The call was given up before it was made: a probe may be made by another.
  void onNotMade();

  [[nodiscard]] BreakerState state() const { return state_; }

 private:
  void note(bool failed);
  void open(Time now);

  BreakerLimits limits_;
  BreakerState state_ = BreakerState::closed;
  std::deque<bool> window_;
  std::size_t failed_ = 0;
  Duration wait_;
  Time probeAt_{};
  bool probing_ = false;
  int goodProbes_ = 0;
};

}  // namespace tipflow::rpc

template <>
struct tipflow::EnumWords<tipflow::rpc::BreakerState> {
  using State = rpc::BreakerState;
  static constexpr std::array values{std::pair{std::string_view{"closed"}, State::closed},
                                     std::pair{std::string_view{"open"}, State::open},
                                     std::pair{std::string_view{"half_open"}, State::halfOpen}};
};
