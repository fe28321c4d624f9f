// Settlement arithmetic: who gets how much of a tip, and what may be withdrawn; what a payout
// account may be, and what is shown of it. Pure; all money rules of finance live here.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/money.h"
#include "base/result.h"
#include "base/time.h"
#include "finance/ledger.h"

namespace tipflow::finance {

/// A share rate starts at least this long after it was set, by DB2's clock (money.md section 3).
inline constexpr Duration kRateNotice{2'000'000};
/// A tip further ahead of DB2's clock than this is not settled yet. Smaller than kRateNotice, so
/// that no tip can be settled before a rate that covers it could have been set.
inline constexpr Duration kClockAllowance{1'000'000};
/// An `effectiveFrom` this far back is taken as "now": the request was on its way.
inline constexpr Duration kTransitAllowance{5'000'000};

inline constexpr Fen kLargestWithdrawal{100'000'000'000'000};

/// The anchor's and the platform's part of one tip, in units of 1/10,000 fen.
struct Shares {
  Units anchor;
  Units platform;
};

/// Splits `amount` by `rate`. Exact: the parts always sum to the tip (invariant I6).
/// Fails with `out_of_range` when the amount is negative, the rate is not 0 to 10,000, or a product
/// would not fit 63 bits.
[[nodiscard]] Result<Shares> split(Fen amount, BasisPoints rate);

/// The rate in force at `acceptedAt`, from rates ordered by `effectiveFrom` (of equal ones the
/// later counts); `fallback` before the first. A tip accepted exactly at a change gets the new
/// rate.
[[nodiscard]] BasisPoints rateAt(std::span<const ShareRate> rates, Time acceptedAt,
                                 BasisPoints fallback);

/// When a rate asked for at `now` (DB2's clock) starts: on a whole millisecond, never sooner than
/// kRateNotice. Fails with `effective_from_in_past`.
[[nodiscard]] Result<Time> effectiveFrom(std::optional<Time> asked, Time now);

/// Whether a tip accepted at `acceptedAt` may be settled at `now` (DB2's clock).
[[nodiscard]] inline bool mayBeSettled(Time acceptedAt, Time now) {
  return acceptedAt - now <= kClockAllowance;
}

/// An anchor's account. Invariant I9: settled >= withdrawn + reserved, all >= 0.
struct Account {
  Units settled;
  Fen withdrawn;
  Fen reserved;
};

[[nodiscard]] inline Fen available(const Account& account) {
  return wholeFen(account.settled) - account.withdrawn - account.reserved;
}

/// Where an anchor's money goes: secret, encrypted at rest.
struct PayoutAccount {
  std::string realName;
  std::string bankAccount;  ///< digits and letters alone
  std::string phone;        ///< digits, with or without + in front
};

/// Blanks and dashes between digits are left out. Fails with `invalid_request`, naming the fields;
/// no value stands in its texts.
[[nodiscard]] Result<PayoutAccount> checkedPayoutAccount(std::string_view realName,
                                                         std::string_view bankAccount,
                                                         std::string_view phone);

// What is shown of an account. All take any text and count characters, not bytes.

/// `张*`: the first character, and a star for each other; a single character is a star.
[[nodiscard]] std::string maskedName(std::string_view name);
/// `**** **** **** 1234`: the last four, whatever the length; of less than eight nothing.
[[nodiscard]] std::string maskedBankAccount(std::string_view account);
/// `138****5678`: the first three and the last four; of less than eleven the last two alone, of
/// less than six nothing.
[[nodiscard]] std::string maskedPhone(std::string_view phone);

}  // namespace tipflow::finance
