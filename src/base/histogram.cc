#include "base/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>

namespace tipflow {
namespace {

constexpr int kExactBits = 11;  // values below 2^11 have a step of their own
constexpr std::size_t kStepsPerDoubling = std::size_t{1} << (kExactBits - 1);

// Step 0 to 2,047: the value itself. After that 1,024 steps for each further bit.
constexpr std::size_t stepOf(std::uint64_t value) {
  const int shift = std::max(0, static_cast<int>(std::bit_width(value)) - kExactBits);
  return static_cast<std::size_t>(shift) * kStepsPerDoubling +
         static_cast<std::size_t>(value >> shift);
}

constexpr std::int64_t upperEnd(std::size_t step) {
  if (step < 2 * kStepsPerDoubling) return static_cast<std::int64_t>(step);
  const auto shift = static_cast<int>(step / kStepsPerDoubling) - 1;
  const auto place = step - static_cast<std::size_t>(shift) * kStepsPerDoubling;
  return static_cast<std::int64_t>(((std::uint64_t{place} + 1) << shift) - 1);
}

constexpr std::size_t kSteps = stepOf(static_cast<std::uint64_t>(Histogram::kMost.count())) + 1;

static_assert(upperEnd(kSteps - 1) == Histogram::kMost.count());

}  // namespace

Histogram::Histogram() : counts_(kSteps, 0) {}

void Histogram::record(Value value, std::uint64_t times) {
  if (times == 0) return;
  const auto counted = std::clamp<std::int64_t>(value.count(), 0, kMost.count());
  counts_[stepOf(static_cast<std::uint64_t>(counted))] += times;
  count_ += times;
  max_ = std::max(max_, static_cast<std::int64_t>(value.count()));
}

void Histogram::merge(const Histogram& other) {
  if (other.count_ == 0) return;
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

void Histogram::clear() {
  if (count_ == 0) return;
  std::fill(counts_.begin(), counts_.end(), 0);
  count_ = 0;
  max_ = 0;
}

Histogram::Value Histogram::percentile(double percent) const {
  if (count_ == 0) return Value{0};
  // 99.9 % of 1,000 is 999 values, though 99.9 / 100 * 1000 is a little more in binary.
  const double wanted = std::ceil(percent / 100.0 * static_cast<double>(count_) - 1e-6);
  const auto rank =
      static_cast<std::uint64_t>(std::clamp(wanted, 1.0, static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen >= rank) return Value{std::min(upperEnd(i), max_)};
  }
  return max();
}

std::vector<std::pair<Histogram::Value, std::uint64_t>> Histogram::steps() const {
  std::vector<std::pair<Value, std::uint64_t>> steps;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] != 0) steps.emplace_back(Value{std::min(upperEnd(i), max_)}, counts_[i]);
  }
  return steps;
}

}  // namespace tipflow
