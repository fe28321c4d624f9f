#include "audience/lanes.h"

#include <algorithm>

namespace tipflow::audience {

bool Lanes::Write::await_suspend(std::coroutine_handle<> handle) {
  group.handle = handle;
  group.loop = trantor::EventLoop::getEventLoopOfCurrentThread();
  // One more than there are tips, so that nobody resumes the coroutine before all are handed out.
  group.open = static_cast<int>(tips.size()) + 1;
  int refused = 0;
  for (std::size_t i = 0; i < tips.size(); ++i) {
    slots[i].group = &group;
    auto& lane = lanes.laneOf(tips[i].traceId);
    if (!lane.submit(slots[i], std::move(tips[i]))) ++refused;
  }
  return group.open.fetch_sub(refused + 1) != refused + 1;
}

bool Lanes::healthy() const {
  return std::all_of(lanes_.begin(), lanes_.end(), [](const auto& l) { return l->healthy(); });
}

LaneId Lanes::first() const {
  LaneId first;
  for (const auto& lane : lanes_) {
    if (!lane->healthy()) return LaneId{0};
    first = first == LaneId{0} ? lane->lane() : std::min(first, lane->lane());
  }
  return first;
}

void Lanes::stop() {
  for (auto& lane : lanes_) lane->stop();
}

}  // namespace tipflow::audience
