#include "finance/rules.h"

#include <algorithm>
#include <vector>

#include "base/text.h"

namespace tipflow::finance {
namespace {

constexpr std::size_t kShortestBankAccount = 8;
constexpr std::size_t kLongestBankAccount = 34;  // an IBAN's
constexpr std::size_t kShortestPhone = 6;
constexpr std::size_t kLongestPhone = 15;  // of E.164
constexpr std::size_t kShownOfAccount = 4;

bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isLetter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

std::string withoutSeparators(std::string_view text) {
  std::string kept(text);
  std::erase_if(kept, [](char c) { return c == ' ' || c == '-'; });
  return kept;
}

bool isBankAccount(std::string_view text) {
  return text.size() >= kShortestBankAccount && text.size() <= kLongestBankAccount &&
         std::all_of(text.begin(), text.end(), [](char c) { return isDigit(c) || isLetter(c); });
}

bool isPhone(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  return text.size() >= kShortestPhone && text.size() <= kLongestPhone &&
         std::all_of(text.begin(), text.end(), isDigit);
}

/// What is not UTF-8 counts byte by byte.
std::vector<std::string_view> charactersOf(std::string_view text) {
  std::vector<std::string_view> characters;
  while (!text.empty()) {
    const auto size = std::max<std::size_t>(1, firstCharacter(text).size);
    characters.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return characters;
}

std::string joined(std::span<const std::string_view> characters) {
  std::string text;
  for (const auto character : characters) text += character;
  return text;
}

}  // namespace

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

Result<PayoutAccount> checkedPayoutAccount(std::string_view realName, std::string_view bankAccount,
                                           std::string_view phone) {
  PayoutAccount account{std::string(realName), withoutSeparators(bankAccount),
                        withoutSeparators(phone)};
  Rejection faults{ErrorCode::invalid_request, {}, {}};
  if (!isBankAccount(account.bankAccount)) {
    faults.errors.push_back({"bankAccount", ErrorCode::invalid_format,
                             "must have 8 to 34 digits and letters; blanks and dashes may stand "
                             "between them"});
  }
  if (!isPhone(account.phone)) {
    faults.errors.push_back({"phone", ErrorCode::invalid_format,
                             "must have 6 to 15 digits, with or without + in front; blanks and "
                             "dashes may stand between them"});
  }
  if (!faults.errors.empty()) return faults;
  return account;
}

std::string maskedName(std::string_view name) {
  const auto characters = charactersOf(name);
  if (characters.size() <= 1) return std::string(characters.size(), '*');
  return std::string(characters.front()) + std::string(characters.size() - 1, '*');
}

std::string maskedBankAccount(std::string_view account) {
  const auto characters = charactersOf(account);
  const bool enough = characters.size() >= 2 * kShownOfAccount;
  return "**** **** **** " +
         (enough ? joined(std::span(characters).last(kShownOfAccount)) : std::string("****"));
}

std::string maskedPhone(std::string_view phone) {
  const auto characters = charactersOf(phone);
  const auto all = std::span(characters);
  if (all.size() >= 11) return joined(all.first(3)) + "****" + joined(all.last(4));
  if (all.size() >= 6) return "****" + joined(all.last(2));
  return "****";
}

}  // namespace tipflow::finance
