#include "base/random.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

namespace tipflow {
namespace {

TEST(SeededRandom, gives_the_same_numbers_for_the_same_seed_and_others_for_another) {
  SeededRandom first(42), again(42), other(43);
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const auto bits = first.bits();
    EXPECT_EQ(bits, again.bits());
    differs = differs || bits != other.bits();
  }
  EXPECT_TRUE(differs);
}

TEST(SeededRandom, numbers_below_a_bound_reach_every_value_below_it_and_none_beyond) {
  SeededRandom random(1);
  std::array<int, 6> seen{};
  for (int i = 0; i < 6'000; ++i) {
    const auto number = random.below(seen.size());
    ASSERT_LT(number, seen.size());
    ++seen[number];
  }
  // 1,000 of each are expected; five standard deviations are 145.
  for (const int times : seen) EXPECT_NEAR(times, 1'000, 145);
  EXPECT_EQ(random.below(1), 0U);
  for (int i = 0; i < 100; ++i) {
    EXPECT_LT(random.below(std::numeric_limits<std::uint64_t>::max()),
              std::numeric_limits<std::uint64_t>::max());
  }
}

}  // namespace
}  // namespace tipflow
