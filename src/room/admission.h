// How many may come in at once: a steady rate after a burst. Who is turned away hears when to come
// again, and the more are waiting the later, so that a storm does not return as one. Pure.
#pragma once

#include <cstdint>

#include "base/time.h"

namespace tipflow::room {

class Admission {
 public:
  static constexpr int kLongestWaitSeconds = 30;

  /// Both at least 1.
  Admission(std::int64_t perSecond, std::int64_t burst);

  /// 0: come in; else in how many seconds to try again.
  int take(Time now);

 private:
  Duration interval_;
  Duration depth_;
  Time freeAt_{};    // when the burst would be whole again
  Time queueEnd_{};  // until when those who were turned away fill the rate
};

}  // namespace tipflow::room
