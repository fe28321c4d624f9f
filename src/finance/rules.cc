#include "finance/rules.h"

#include <algorithm>

namespace tipflow::finance {

Result<Shares> split(Fen amount, BasisPoints rate) {
  std::int64_t whole = 0;
  if (amount.value < 0 || rate < BasisPoints{0} || rate > kWholeShare ||
      __builtin_mul_overflow(amount.value, kUnitsPerFen, &whole)) {
    return ErrorCode::out_of_range;
  }
  const Units anchor{amount.value * rate.value};  // no larger than `whole`
  return Shares{anchor, Units{whole} - anchor};
}

BasisPoints rateAt(std::span<const ShareRate> rates, Time acceptedAt, BasisPoints fallback) {
  const auto after =
      std::upper_bound(rates.begin(), rates.end(), acceptedAt,
                       [](Time time, const ShareRate& rate) { return time < rate.effectiveFrom; });
  return after == rates.begin() ? fallback : std::prev(after)->rate;
}

Result<Time> effectiveFrom(std::optional<Time> asked, Time now) {
  const Time earliest = roundUpToMs(now + kRateNotice);
  if (!asked) return earliest;
  if (*asked < now - kTransitAllowance) return ErrorCode::effective_from_in_past;
  return std::max(earliest, roundUpToMs(*asked));
}

}  // namespace tipflow::finance
