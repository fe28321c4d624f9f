// When each request should start. An open loop: the schedule is fixed before the run and does not
// wait for answers, as viewers do not wait for each other.
//
// A closed loop (send, wait, send) asks a slow server less often, so exactly the requests that
// would have met the slowness are never sent, and the latencies look better than what people would
// have seen: coordinated omission. Here a request that finds every connection busy keeps its
// intended start, and its latency, counted from there, has the wait in it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "load/source.h"
#include "load/stages.h"

namespace tipflow::load {

struct Pace {
  double perSecond = 0;            ///< 0: a closed loop, as fast as answers come
  std::vector<Stage> stages = {};  ///< when not empty, in place of `perSecond`
  double part = 1;                 ///< of the stages' rates
  MonotonicUs startUs = 0;
  MonotonicUs endUs = kNever;  ///< no start is intended at or after this
  /// Part of an interval by which all starts are shifted, so that several schedules interleave.
  double phase = 0;
  /// A start this late is not made any more: it is counted as dropped.
  MonotonicUs latestUs = 10'000'000;
};

class Pacer {
 public:
  explicit Pacer(const Pace& pace);

  /// Takes the next start due at `now`: the instant it was intended for. nullopt when none is due.
  std::optional<MonotonicUs> take(MonotonicUs now);
  /// The instant of the next start; kNever after the last.
  [[nodiscard]] MonotonicUs nextUs() const { return nextUs_; }
  /// Ends the schedule at `now`; starts that are overdue then are dropped.
  void stop(MonotonicUs now);
  /// Starts that are overdue at `now`.
  [[nodiscard]] std::uint64_t waiting(MonotonicUs now) const;
  /// Gives up the starts that are too late by now; take() does so too.
  void expire(MonotonicUs now);
  /// Starts given up.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  [[nodiscard]] MonotonicUs intendedUs(std::uint64_t index) const;
  /// How many starts are intended before `instant`.
  [[nodiscard]] std::uint64_t startsBefore(MonotonicUs instant) const;
  void findNext();

  Pace pace_;
  std::optional<Schedule> schedule_;  // nullopt: a closed loop
  std::uint64_t passed_ = 0;          // made or dropped
  std::uint64_t dropped_ = 0;
  MonotonicUs nextUs_ = kNever;
};

}  // namespace tipflow::load
