#include "load/zipf.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/random.h"

namespace tipflow::load {
namespace {

// Pearson's statistic of `draws` against the law, which for this many places seldom passes `most`.
double distanceFromLaw(std::size_t places, double exponent, int draws) {
  SeededRandom random(7);
  const Zipf zipf(places, exponent);
  std::vector<double> seen(places);
  for (int i = 0; i < draws; ++i) ++seen[zipf.place(random.bits())];
  double norm = 0;
  for (std::size_t k = 1; k <= places; ++k) norm += std::pow(static_cast<double>(k), -exponent);
  double sum = 0;
  for (std::size_t k = 1; k <= places; ++k) {
    const double expected = draws * std::pow(static_cast<double>(k), -exponent) / norm;
    sum += (seen[k - 1] - expected) * (seen[k - 1] - expected) / expected;
  }
  return sum;
}

TEST(Zipf, follows_its_law_for_any_exponent) {
  // 99 degrees of freedom: 149 is passed once in a thousand times.
  for (const double exponent : {0.0, 0.5, 1.0, 1.5}) {
    EXPECT_LT(distanceFromLaw(100, exponent, 200'000), 149) << exponent;
  }
}

TEST(Zipf, stays_inside_at_both_ends) {
  for (const double exponent : {0.0, 1.0, 3.0}) {
    const Zipf zipf(5, exponent);
    EXPECT_EQ(zipf.place(0), 0U);
    EXPECT_EQ(zipf.place(~std::uint64_t{0}), 4U);
    EXPECT_EQ(Zipf(1, exponent).place(~std::uint64_t{0}), 0U);
  }
}

}  // namespace
}  // namespace tipflow::load
