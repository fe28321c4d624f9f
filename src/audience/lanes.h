// The lanes of this node: which lane a tip goes to, and what a coroutine awaits.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "audience/lane_driver.h"

namespace tipflow::audience {

class Lanes {
 public:
  /// Before this no tip can be written. Lanes open by themselves, on their threads.
  void start(std::vector<std::unique_ptr<LaneDriver>> lanes) { lanes_ = std::move(lanes); }

  /// co_await lanes.write(tips, slots): suspends until each tip has its answer in its slot. Must be
  /// awaited on an event loop, and `slots` must outlive it. A tip that could not be queued has its
  /// answer at once.
  struct Write {
    Lanes& lanes;
    std::span<Tip> tips;
    std::span<TipSlot> slots;
    TipGroup group = {};

    bool await_ready() const noexcept { return tips.empty(); }
    bool await_suspend(std::coroutine_handle<> handle);
    void await_resume() const noexcept {}
  };
  Write write(std::span<Tip> tips, std::span<TipSlot> slots) { return {*this, tips, slots}; }

  [[nodiscard]] bool healthy() const;
  [[nodiscard]] std::size_t count() const { return lanes_.size(); }
  /// Tips that wait in the lane with this place among them.
  [[nodiscard]] std::size_t queued(std::size_t place) const { return lanes_[place]->queued(); }
  /// The lowest lane of this process; 0 until one is open.
  [[nodiscard]] LaneId first() const;
  void stop();

 private:
  // The same traceId always meets the same lane, so that repeats on one node never race in DB1.
  LaneDriver& laneOf(const TraceId& traceId) {
    return *lanes_[std::hash<TraceId>{}(traceId) % lanes_.size()];
  }

  std::vector<std::unique_ptr<LaneDriver>> lanes_;
};

}  // namespace tipflow::audience
