#include "load/series.h"

#include <algorithm>
#include <utility>

namespace tipflow::load {
namespace {

constexpr MonotonicUs kRowUs = 1'000'000;
constexpr MonotonicUs kShortUs = 300'000;
// More than a day; a run without an end keeps the newest.
constexpr std::size_t kRowsMost = 100'000;

}  // namespace

Series::Series(std::optional<Schedule> schedule, MonotonicUs startUs, MonotonicUs endUs)
    : schedule_(std::move(schedule)),
      startUs_(startUs),
      endUs_(endUs),
      rowFromUs_(startUs),
      lastFromUs_(startUs),
      recentFromUs_(startUs),
      nextUs_(startUs + kRowUs) {}

void Series::add(const Tally& tally) {
  row_.add(tally);
  total_.add(tally);
}

void Series::close(MonotonicUs now, std::uint64_t open, std::uint64_t waiting) {
  const auto seconds = [&](MonotonicUs instant) {
    return static_cast<double>(std::min(instant, endUs_) - startUs_) / 1e6;
  };
  RowMoment moment{.fromUs = rowFromUs_ - startUs_,
                   .untilUs = now - startUs_,
                   .intended = {},
                   .open = open,
                   .waiting = waiting};
  if (schedule_) {
    moment.intended = schedule_->startsBy(seconds(now)) - schedule_->startsBy(seconds(rowFromUs_));
  }
  rows_.push_back(makeRow(moment, row_));
  if (rows_.size() > kRowsMost) rows_.pop_front();
  recent_.add(row_);
  last_ = std::exchange(row_, {});
  lastFromUs_ = std::exchange(rowFromUs_, now);
  while (nextUs_ <= now) nextUs_ += kRowUs;
}

void Series::finish(MonotonicUs now, std::uint64_t open) {
  if (now - rowFromUs_ < kShortUs && !rows_.empty()) {
    rows_.pop_back();
    row_.add(last_);
    rowFromUs_ = lastFromUs_;
  }
  close(now, open, 0);
}

Series::Recent Series::takeRecent() {
  return {std::exchange(recent_, {}), rowFromUs_ - std::exchange(recentFromUs_, rowFromUs_)};
}

}  // namespace tipflow::load
