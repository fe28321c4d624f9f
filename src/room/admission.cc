#include "room/admission.h"

#include <algorithm>

namespace tipflow::room {

Admission::Admission(std::int64_t perSecond, std::int64_t burst)
    : interval_(kUsPerSecond / perSecond), depth_(kUsPerSecond * burst / perSecond) {}

int Admission::take(Time now) {
  const auto next = std::max(freeAt_, now) + interval_;
  if (next - now <= depth_) {
    freeAt_ = next;
    return 0;
  }
  const auto longest = now + Duration{kLongestWaitSeconds * kUsPerSecond};
  queueEnd_ = std::min(std::max(queueEnd_, now) + interval_, longest);
  const auto wait = (queueEnd_ - now).count();
  return static_cast<int>((wait + kUsPerSecond - 1) / kUsPerSecond);
}

}  // namespace tipflow::room
