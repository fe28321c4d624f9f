// What simulated viewers give: who, in which room, which gift, how many. Reproducible from a seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/money.h"
#include "base/random.h"

namespace tipflow::load {

/// A tip before it has a traceId. `viewer` and `room` are places in the population.
struct Choice {
  std::uint32_t viewer = 0;
  std::uint32_t room = 0;
  Fen amount;
  std::int32_t giftId = 0;  ///< 0: an amount of the viewer's own
  std::int32_t count = 1;
  std::uint32_t message = 0;  ///< for messageText; 0: none
};

/// The text of a message, ready to stand between the quotes of a JSON string.
std::string_view messageText(std::uint32_t message);

class Chooser {
 public:
  /// `rooms` and `viewers` > 0.
  Chooser(std::size_t rooms, std::size_t viewers, std::uint64_t seed);

  /// The room by popularity (Zipf: the k-th room has 1/k of the first one's tips, as a hot anchor
  /// has), the viewer uniformly, the gift by its price: cheap ones often, dear ones seldom.
  Choice next();
  /// True in `part` of the cases, from 0 to 1.
  bool chance(double part);

 private:
  /// Uniform in [0, 1).
  double fraction();

  SeededRandom random_;
  std::size_t viewers_;
  std::vector<double> upTo_;  // upTo_[k]: part of the tips that rooms 0 to k have together
};

}  // namespace tipflow::load
