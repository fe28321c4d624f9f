#include "load/zipf.h"

#include <algorithm>
#include <cmath>

namespace tipflow::load {

Zipf::Zipf(std::size_t count, double exponent) : count_(count) {
  if (exponent == 0) return;
  upTo_.reserve(count);
  double sum = 0;
  for (std::size_t k = 1; k <= count; ++k) {
    upTo_.push_back(sum += std::pow(static_cast<double>(k), -exponent));
  }
  for (auto& part : upTo_) part /= sum;
  upTo_.back() = 1;
}

std::size_t Zipf::place(std::uint64_t bits) const {
  if (upTo_.empty()) {
    return static_cast<std::size_t>((static_cast<unsigned __int128>(bits) * count_) >> 64);
  }
  const double fraction = static_cast<double>(bits >> 11) * 0x1.0p-53;
  return static_cast<std::size_t>(std::upper_bound(upTo_.begin(), upTo_.end(), fraction) -
                                  upTo_.begin());
}

}  // namespace tipflow::load
