#include "base/money.h"

#include <gtest/gtest.h>

#include <limits>
#include <type_traits>

namespace tipflow {
namespace {

constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();

template <class A, class B>
concept Addable = requires(A a, B b) { a + b; };

TEST(Money, adds_and_subtracts_to_the_last_fen) {
  EXPECT_EQ(Fen{99} + Fen{1}, Fen{100});
  EXPECT_EQ(Fen{100} - Fen{101}, Fen{-1});
  Fen sum{kMost - 1};
  sum += Fen{1};
  EXPECT_EQ(sum.value, kMost);
}

TEST(Money, a_sum_beyond_63_bits_is_a_broken_invariant_and_never_wraps) {
  EXPECT_THROW(Fen{kMost} + Fen{1}, BrokenInvariant);
  EXPECT_THROW(Fen{kLeast} + Fen{-1}, BrokenInvariant);
  EXPECT_THROW(Fen{kLeast} - Fen{1}, BrokenInvariant);
  EXPECT_THROW(Units{0} - Units{kLeast}, BrokenInvariant);
}

TEST(Money, an_addition_that_does_not_fit_leaves_the_sum_as_it_was) {
  Units sum{kMost};
  EXPECT_THROW(sum += Units{1}, BrokenInvariant);
  EXPECT_EQ(sum.value, kMost);
}

TEST(Money, kinds_of_amounts_do_not_mix) {
  static_assert(Addable<Fen, Fen>);
  static_assert(Addable<Units, Units>);
  static_assert(!Addable<Fen, Units>);
  static_assert(!Addable<Fen, std::int64_t>);
  static_assert(!std::is_convertible_v<Units, Fen>);
  static_assert(!std::is_convertible_v<std::int64_t, Fen>);
  SUCCEED();
}

TEST(Money, shows_whole_fen_and_never_one_that_is_not_whole) {
  EXPECT_EQ(wholeFen(Units{0}), Fen{0});
  EXPECT_EQ(wholeFen(Units{9'999}), Fen{0});
  EXPECT_EQ(wholeFen(Units{10'000}), Fen{1});
  EXPECT_EQ(wholeFen(Units{19'999}), Fen{1});
  EXPECT_EQ(wholeFen(Units{kMost}), Fen{kMost / 10'000});
}

}  // namespace
}  // namespace tipflow
