// Which of many, by popularity: the k-th has a share of 1 / k^exponent. Exact, for any exponent
// from 0 (all alike) on. Pure; the random number comes from the caller.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tipflow::load {

class Zipf {
 public:
  /// `count` > 0, `exponent` >= 0.
  Zipf(std::size_t count, double exponent);

  /// A place from 0 to count - 1, from 64 uniformly random bits.
  [[nodiscard]] std::size_t place(std::uint64_t bits) const;

 private:
  std::size_t count_;
  /// upTo_[k]: part that the places 0 to k have together; empty when all are alike.
  std::vector<double> upTo_;
};

}  // namespace tipflow::load
