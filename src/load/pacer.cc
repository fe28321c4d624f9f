#include "load/pacer.h"

#include <algorithm>
#include <cmath>

namespace tipflow::load {
namespace {

constexpr double kUsPerSecond = 1e6;

}  // namespace

Pacer::Pacer(const Pace& pace) : pace_(pace) {}

std::optional<MonotonicUs> Pacer::take(MonotonicUs now) {
  expire(now);
  const auto next = nextUs();
  if (next > now) return std::nullopt;
  if (pace_.perSecond == 0) return now;
  ++taken_;
  return next;
}

void Pacer::expire(MonotonicUs now) {
  if (pace_.perSecond == 0) {
    if (now >= pace_.endUs) stop(now);
    return;
  }
  if (nextUs() >= now - pace_.latestUs) return;
  const auto alive = startsBefore(std::min(now - pace_.latestUs, pace_.endUs));
  dropped_ += alive - taken_;
  taken_ = alive;
}

MonotonicUs Pacer::nextUs() const {
  const auto next = pace_.perSecond == 0 ? pace_.startUs : intendedUs(taken_);
  return next < pace_.endUs ? next : kNever;
}

void Pacer::stop(MonotonicUs now) {
  if (pace_.perSecond == 0) {
    pace_.endUs = std::min(pace_.endUs, pace_.startUs);  // its next start is always overdue
    return;
  }
  pace_.endUs = std::min(pace_.endUs, now);
  dropped_ += waiting(now);
  taken_ += waiting(now);
}

std::uint64_t Pacer::waiting(MonotonicUs now) const {
  if (pace_.perSecond == 0 || nextUs() > now) return 0;
  return startsBefore(std::min(now + 1, pace_.endUs)) - taken_;
}

MonotonicUs Pacer::intendedUs(std::uint64_t index) const {
  const double intervals = static_cast<double>(index) + pace_.phase;
  return pace_.startUs +
         static_cast<MonotonicUs>(std::floor(intervals * kUsPerSecond / pace_.perSecond));
}

std::uint64_t Pacer::startsBefore(MonotonicUs instant) const {
  const auto sinceStart = static_cast<double>(instant - pace_.startUs);
  const double estimate = sinceStart * pace_.perSecond / kUsPerSecond - pace_.phase;
  // The estimate may be off by one where an instant is a start: intendedUs decides.
  auto count = static_cast<std::uint64_t>(std::max(0.0, std::floor(estimate) - 1));
  while (intendedUs(count) < instant) ++count;
  return std::max(count, taken_);
}

}  // namespace tipflow::load
