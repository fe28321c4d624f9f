// Money: integer fen, integer units of 1/10,000 fen, basis points; checked arithmetic, no rounding.
// Which part of a tip goes to whom is a rule of finance and is not decided here.
#pragma once

#include <compare>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace tipflow {

/// An arithmetic result that does not fit 63 bits, or a sum that must not be negative and is:
/// never a user's fault. Whatever transaction sees it is rolled back.
class BrokenInvariant : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// An integer amount of one kind. Kinds do not mix: `Fen + Units` does not compile.
template <class Tag>
struct Amount {
  std::int64_t value = 0;

  friend auto operator<=>(const Amount&, const Amount&) = default;

  /// Throws BrokenInvariant on overflow.
  friend Amount operator+(Amount a, Amount b) {
    Amount sum;
    if (__builtin_add_overflow(a.value, b.value, &sum.value)) {
      throw BrokenInvariant("sum of amounts does not fit 63 bits");
    }
    return sum;
  }
  friend Amount operator-(Amount a, Amount b) {
    Amount difference;
    if (__builtin_sub_overflow(a.value, b.value, &difference.value)) {
      throw BrokenInvariant("difference of amounts does not fit 63 bits");
    }
    return difference;
  }
  Amount& operator+=(Amount other) { return *this = *this + other; }
};

/// 1/100 yuan: what people see and give.
using Fen = Amount<struct FenTag>;
/// 1/10,000 fen: what accounts hold, so that no share is ever rounded.
using Units = Amount<struct UnitsTag>;

inline constexpr std::int64_t kUnitsPerFen = 10'000;

/// The anchor's part of a tip, 0 to 10,000.
struct BasisPoints {
  std::int32_t value = 0;
  friend auto operator<=>(const BasisPoints&, const BasisPoints&) = default;
};

inline constexpr BasisPoints kWholeShare{10'000};

/// Whole fen in `units`; the remainder stays where it is.
inline Fen wholeFen(Units units) { return Fen{units.value / kUnitsPerFen}; }

}  // namespace tipflow
