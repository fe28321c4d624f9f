// What simulated viewers give: who, in which room, which gift, how many. Reproducible from a seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/money.h"
#include "base/random.h"
#include "load/zipf.h"

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

/// Among how many, and how unevenly: exponents of Zipf's law, 0 for all alike.
struct Choices {
  std::size_t rooms = 0;    ///< > 0
  std::size_t viewers = 0;  ///< > 0
  double roomExponent = 1;
  double viewerExponent = 0;
  /// Part of the tips that go to one of the two rooms that a viewer likes; the others as above.
  double taste = 0;
};

class Chooser {
 public:
  Chooser(const Choices& choices, std::uint64_t seed);

  /// Room and viewer by popularity, the gift by its price: cheap ones often, dear ones seldom.
  Choice next();
  /// True in `part` of the cases, from 0 to 1.
  bool chance(double part);
  /// Uniform in [0, end); end > 0.
  std::uint64_t below(std::uint64_t end) { return random_.below(end); }

 private:
  /// Uniform in [0, 1).
  double fraction();
  /// One of the two rooms that the viewer likes: whoever likes one of them likes the other.
  std::uint32_t liked(std::uint32_t viewer);

  Choices choices_;
  SeededRandom random_;
  Zipf rooms_;
  Zipf viewers_;
};

}  // namespace tipflow::load
