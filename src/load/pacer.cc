#include "load/pacer.h"

#include <algorithm>
#include <cmath>

namespace tipflow::load {
namespace {

constexpr double kUsPerSecond = 1e6;

std::optional<Schedule> scheduleOf(const Pace& pace) {
  if (!pace.stages.empty()) return Schedule(pace.stages, pace.part);
  if (pace.perSecond > 0) return Schedule(pace.perSecond);
  return std::nullopt;
}

}  // namespace

Pacer::Pacer(const Pace& pace) : pace_(pace), schedule_(scheduleOf(pace)) { findNext(); }

std::optional<MonotonicUs> Pacer::take(MonotonicUs now) {
  expire(now);
  if (nextUs_ > now) return std::nullopt;
  const auto intended = schedule_ ? nextUs_ : now;
  ++passed_;
  findNext();
  return intended;
}

void Pacer::findNext() {
  nextUs_ = kNever;
  const auto next = schedule_ ? intendedUs(passed_) : pace_.startUs;
  if (next < pace_.endUs) nextUs_ = next;
}

void Pacer::expire(MonotonicUs now) {
  if (nextUs_ == kNever) return;
  if (!schedule_) {
    if (now >= pace_.endUs) stop(now);
    return;
  }
  if (nextUs_ >= now - pace_.latestUs) return;
  const auto alive = startsBefore(std::min(now - pace_.latestUs, pace_.endUs));
  dropped_ += alive - passed_;
  passed_ = alive;
  findNext();
}

void Pacer::stop(MonotonicUs now) {
  const auto overdue = waiting(now);
  dropped_ += overdue;
  passed_ += overdue;
  pace_.endUs = std::min(pace_.endUs, now);
  nextUs_ = kNever;
}

std::uint64_t Pacer::waiting(MonotonicUs now) const {
  if (!schedule_ || nextUs_ > now) return 0;
  return startsBefore(std::min(now + 1, pace_.endUs)) - passed_;
}

MonotonicUs Pacer::intendedUs(std::uint64_t index) const {
  const double seconds = schedule_->instantOf(static_cast<double>(index) + pace_.phase);
  if (!std::isfinite(seconds)) return kNever;
  // An instant that is a whole microsecond must not fall below it by a rounding.
  return pace_.startUs + static_cast<MonotonicUs>(std::floor(seconds * kUsPerSecond + 1e-3));
}

std::uint64_t Pacer::startsBefore(MonotonicUs instant) const {
  const double seconds = static_cast<double>(instant - pace_.startUs) / kUsPerSecond;
  const double estimate = schedule_->startsBy(seconds) - pace_.phase;
  // The estimate may be off by one where an instant is a start: intendedUs decides.
  auto count = static_cast<std::uint64_t>(std::max(0.0, std::floor(estimate) - 1));
  while (intendedUs(count) < instant) ++count;
  return std::max(count, passed_);
}

}  // namespace tipflow::load
