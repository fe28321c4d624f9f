#include "platform/rpc/breaker.h"

#include <algorithm>

namespace tipflow::rpc {

bool Breaker::admits(Time now) {
  if (state_ == BreakerState::closed) return true;
  if (state_ == BreakerState::open) {
    if (now < probeAt_) return false;
    state_ = BreakerState::halfOpen;
    goodProbes_ = 0;
    probing_ = false;
  }
  if (probing_) return false;
  probing_ = true;
  return true;
}

void Breaker::onSuccess(Time) {
  if (state_ == BreakerState::closed) return note(false);
  if (state_ == BreakerState::open) return;  // a late answer to a call from before
  probing_ = false;
  if (++goodProbes_ < limits_.probes) return;
  state_ = BreakerState::closed;
  window_.clear();
  failed_ = 0;
  wait_ = limits_.open;
}

void Breaker::onFailure(Time now) {
  if (state_ == BreakerState::open) return;
  if (state_ == BreakerState::halfOpen) {
    wait_ = std::min(wait_ * 2, limits_.longest);
    return open(now);
  }
  note(true);
  const auto calls = static_cast<double>(window_.size());
  if (window_.size() >= limits_.least && static_cast<double>(failed_) >= limits_.failures * calls) {
    open(now);
  }
}

void Breaker::onNotMade() { probing_ = false; }

void Breaker::note(bool failed) {
  window_.push_back(failed);
  failed_ += failed ? 1 : 0;
  if (window_.size() <= limits_.window) return;
  failed_ -= window_.front() ? 1 : 0;
  window_.pop_front();
}

void Breaker::open(Time now) {
  state_ = BreakerState::open;
  probeAt_ = now + wait_;
  probing_ = false;
}

}  // namespace tipflow::rpc
