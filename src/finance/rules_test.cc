#include "finance/rules.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "base/random.h"

namespace tipflow::finance {
namespace {

using Wide = __int128;

constexpr Time kNow{1'770'000'000'000'000};
constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLargestSplit = kMost / 10'000;

Duration seconds(std::int64_t n) { return Duration{n * kUsPerSecond}; }

TEST(Settlement, splits_a_tip_without_rounding) {
  const auto shares = split(Fen{5'200}, BasisPoints{5'000});
  ASSERT_TRUE(shares);
  EXPECT_EQ(shares->anchor, Units{26'000'000});
  EXPECT_EQ(shares->platform, Units{26'000'000});

  const auto smallest = split(Fen{1}, BasisPoints{1});
  ASSERT_TRUE(smallest);
  EXPECT_EQ(smallest->anchor, Units{1});
  EXPECT_EQ(smallest->platform, Units{9'999});
}

TEST(Settlement, gives_all_or_nothing_at_the_ends_of_the_rate) {
  const auto none = split(Fen{123}, BasisPoints{0});
  ASSERT_TRUE(none);
  EXPECT_EQ(none->anchor, Units{0});
  EXPECT_EQ(none->platform, Units{1'230'000});
  const auto all = split(Fen{123}, kWholeShare);
  ASSERT_TRUE(all);
  EXPECT_EQ(all->anchor, Units{1'230'000});
  EXPECT_EQ(all->platform, Units{0});
  const auto zero = split(Fen{0}, BasisPoints{5'000});
  ASSERT_TRUE(zero);
  EXPECT_EQ(zero->anchor, Units{0});
  EXPECT_EQ(zero->platform, Units{0});
}

TEST(Settlement, parts_are_never_negative_and_sum_to_the_tip_for_any_amount_and_rate) {
  SeededRandom random(20'260'131);
  for (int i = 0; i < 100'000; ++i) {
    // Amounts of every magnitude, the largest that can be split included.
    const auto bound = (std::uint64_t{1} << random.below(50)) + 1;
    const std::int64_t amount =
        i == 0
            ? kLargestSplit
            : std::min<std::int64_t>(static_cast<std::int64_t>(random.below(bound)), kLargestSplit);
    const BasisPoints rate{static_cast<std::int32_t>(random.below(10'001))};
    const auto shares = split(Fen{amount}, rate);
    ASSERT_TRUE(shares) << amount << " at " << rate.value;
    ASSERT_EQ(Wide{shares->anchor.value}, Wide{amount} * rate.value) << amount;
    ASSERT_EQ(Wide{shares->anchor.value} + shares->platform.value, Wide{amount} * 10'000) << amount;
    ASSERT_GE(shares->anchor.value, 0);
    ASSERT_GE(shares->platform.value, 0);
  }
}

TEST(Settlement, refuses_a_product_that_does_not_fit_63_bits_at_any_rate) {
  EXPECT_TRUE(split(Fen{kLargestSplit}, kWholeShare));
  for (const std::int32_t rate : {0, 1, 10'000}) {
    const auto shares = split(Fen{kLargestSplit + 1}, BasisPoints{rate});
    ASSERT_FALSE(shares) << rate;
    EXPECT_EQ(shares.error().code, ErrorCode::out_of_range);
    EXPECT_FALSE(split(Fen{kMost}, BasisPoints{rate})) << rate;
  }
}

TEST(Settlement, refuses_negative_amounts_and_rates_that_are_no_share) {
  EXPECT_FALSE(split(Fen{-1}, BasisPoints{5'000}));
  EXPECT_FALSE(split(Fen{std::numeric_limits<std::int64_t>::min()}, BasisPoints{5'000}));
  EXPECT_FALSE(split(Fen{1}, BasisPoints{-1}));
  EXPECT_FALSE(split(Fen{1}, BasisPoints{10'001}));
}

TEST(Settlement, gives_a_tip_at_the_instant_of_a_change_the_new_rate) {
  const std::vector<ShareRate> rates{{kNow, BasisPoints{5'000}},
                                     {kNow + seconds(60), BasisPoints{7'000}}};
  EXPECT_EQ(rateAt(rates, kNow + seconds(60) - Duration{1}, BasisPoints{4'000}),
            BasisPoints{5'000});
  EXPECT_EQ(rateAt(rates, kNow + seconds(60), BasisPoints{4'000}), BasisPoints{7'000});
  EXPECT_EQ(rateAt(rates, kNow + seconds(60) + Duration{1}, BasisPoints{4'000}),
            BasisPoints{7'000});
}

TEST(Settlement, uses_the_fallback_before_the_first_rate_and_where_there_is_none) {
  const std::vector<ShareRate> rates{{kNow, BasisPoints{5'000}}};
  EXPECT_EQ(rateAt(rates, kNow - Duration{1}, BasisPoints{4'000}), BasisPoints{4'000});
  EXPECT_EQ(rateAt(rates, kNow, BasisPoints{4'000}), BasisPoints{5'000});
  EXPECT_EQ(rateAt({}, kNow, BasisPoints{4'000}), BasisPoints{4'000});
}

TEST(Settlement, of_rates_that_start_together_the_later_one_counts) {
  const std::vector<ShareRate> rates{{kNow, BasisPoints{1'000}},
                                     {kNow, BasisPoints{2'000}},
                                     {kNow, BasisPoints{3'000}},
                                     {kNow + seconds(1), BasisPoints{4'000}}};
  EXPECT_EQ(rateAt(rates, kNow, BasisPoints{0}), BasisPoints{3'000});
}

TEST(Settlement, the_rate_in_force_is_the_last_that_started_whatever_the_history) {
  SeededRandom random(5);
  for (int round = 0; round < 500; ++round) {
    std::vector<ShareRate> rates;
    for (auto left = random.below(8); left > 0; --left) {
      rates.push_back({Time{static_cast<std::int64_t>(random.below(20))},
                       BasisPoints{static_cast<std::int32_t>(random.below(10'001))}});
    }
    std::stable_sort(rates.begin(), rates.end(), [](const ShareRate& a, const ShareRate& b) {
      return a.effectiveFrom < b.effectiveFrom;
    });
    for (std::int64_t at = 0; at < 21; ++at) {
      BasisPoints expected{77};
      for (const auto& rate : rates) {
        if (rate.effectiveFrom <= Time{at}) expected = rate.rate;
      }
      ASSERT_EQ(rateAt(rates, Time{at}, BasisPoints{77}), expected) << round << " at " << at;
    }
  }
}

TEST(ShareRates, a_rate_without_a_start_begins_at_the_earliest_allowed_whole_millisecond) {
  EXPECT_EQ(*effectiveFrom(std::nullopt, kNow), kNow + kRateNotice);
  EXPECT_EQ(*effectiveFrom(std::nullopt, kNow + Duration{1}), kNow + kRateNotice + Duration{1'000});
}

TEST(ShareRates, a_start_sooner_than_the_notice_is_moved_to_its_end) {
  EXPECT_EQ(*effectiveFrom(kNow, kNow), kNow + kRateNotice);
  EXPECT_EQ(*effectiveFrom(kNow + kRateNotice - Duration{1}, kNow), kNow + kRateNotice);
  EXPECT_EQ(*effectiveFrom(kNow + kRateNotice, kNow), kNow + kRateNotice);
}

TEST(ShareRates, a_later_start_is_kept_and_moved_up_to_a_whole_millisecond) {
  EXPECT_EQ(*effectiveFrom(kNow + seconds(3'600), kNow), kNow + seconds(3'600));
  EXPECT_EQ(*effectiveFrom(kNow + seconds(3'600) + Duration{1}, kNow),
            kNow + seconds(3'600) + Duration{1'000});
  EXPECT_EQ(*effectiveFrom(kNow + kRateNotice + Duration{1}, kNow),
            kNow + kRateNotice + Duration{1'000});
}

TEST(ShareRates, a_start_in_the_past_is_refused_beyond_what_a_request_on_its_way_explains) {
  const auto onItsWay = effectiveFrom(kNow - kTransitAllowance, kNow);
  ASSERT_TRUE(onItsWay);
  EXPECT_EQ(*onItsWay, kNow + kRateNotice);
  const auto past = effectiveFrom(kNow - kTransitAllowance - Duration{1}, kNow);
  ASSERT_FALSE(past);
  EXPECT_EQ(past.error().code, ErrorCode::effective_from_in_past);
}

TEST(ShareRates, no_rate_can_start_at_or_before_a_tip_that_may_have_been_settled) {
  // Invariant I7: the last tip that may be settled now lies before the first rate set from now on.
  SeededRandom random(11);
  for (int i = 0; i < 10'000; ++i) {
    const Time now = kNow + Duration{static_cast<std::int64_t>(random.below(10'000'000))};
    const Time asked =
        now - seconds(6) + Duration{static_cast<std::int64_t>(random.below(12'000'000))};
    const auto start = effectiveFrom(asked, now);
    if (!start) {
      ASSERT_LT(asked, now - kTransitAllowance);
      continue;
    }
    ASSERT_EQ(start->us % kUsPerMs, 0);
    ASSERT_GE(*start, asked);
    ASSERT_FALSE(mayBeSettled(*start, now));
  }
}

TEST(ShareRates, a_tip_up_to_the_clock_allowance_ahead_may_be_settled_and_none_beyond) {
  EXPECT_TRUE(mayBeSettled(kNow - seconds(86'400), kNow));
  EXPECT_TRUE(mayBeSettled(kNow, kNow));
  EXPECT_TRUE(mayBeSettled(kNow + kClockAllowance, kNow));
  EXPECT_FALSE(mayBeSettled(kNow + kClockAllowance + Duration{1}, kNow));
}

TEST(Account, what_may_be_withdrawn_is_whole_fen_less_what_is_paid_or_reserved) {
  EXPECT_EQ(available({Units{0}, Fen{0}, Fen{0}}), Fen{0});
  EXPECT_EQ(available({Units{9'999}, Fen{0}, Fen{0}}), Fen{0});
  EXPECT_EQ(available({Units{1'009'999}, Fen{60}, Fen{30}}), Fen{10});
  EXPECT_EQ(available({Units{1'000'000}, Fen{60}, Fen{40}}), Fen{0});
}

std::vector<std::string> faultsOf(const std::string& name, const std::string& account,
                                  const std::string& phone) {
  const auto checked = checkedPayoutAccount(name, account, phone);
  std::vector<std::string> fields;
  if (checked) return fields;
  EXPECT_EQ(checked.error().code, ErrorCode::invalid_request);
  for (const auto& error : checked.error().errors) {
    EXPECT_EQ(error.code, ErrorCode::invalid_format);
    EXPECT_EQ(error.detail.find(error.field == "phone" ? phone : account), std::string::npos);
    fields.push_back(error.field);
  }
  return fields;
}

TEST(PayoutAccount, is_taken_as_people_write_it) {
  const auto account = checkedPayoutAccount("张三", "6222 0212-3456 7890 123", "+86 138-1234-5678");
  ASSERT_TRUE(account);
  EXPECT_EQ(account->realName, "张三");
  EXPECT_EQ(account->bankAccount, "6222021234567890123");
  EXPECT_EQ(account->phone, "+8613812345678");
  EXPECT_TRUE(checkedPayoutAccount("Anna", "DE89370400440532013000", "13812345678"));
}

TEST(PayoutAccount, names_each_field_that_is_wrong_and_shows_no_value) {
  using Fields = std::vector<std::string>;
  const std::string account = "62220212";
  const std::string phone = "138123";
  EXPECT_EQ(faultsOf("A", account, phone), Fields{});
  EXPECT_EQ(faultsOf("A", std::string(34, '1'), std::string(15, '1')), Fields{});
  for (const auto* bad : {"6222021", "６２２２０２１２３４", "6222_0212_3456", "62220212;--"}) {
    EXPECT_EQ(faultsOf("A", bad, phone), Fields{"bankAccount"}) << bad;
  }
  EXPECT_EQ(faultsOf("A", std::string(35, '1'), phone), Fields{"bankAccount"});
  for (const auto* bad :
       {"12345", "138a2345678", "+-+13812345", "138+12345678", "１３８１２３４５６７８"}) {
    EXPECT_EQ(faultsOf("A", account, bad), Fields{"phone"}) << bad;
  }
  EXPECT_EQ(faultsOf("A", account, std::string(16, '1')), Fields{"phone"});
  EXPECT_EQ(faultsOf("A", "  1  ", " - "), (Fields{"bankAccount", "phone"}));
}

TEST(PayoutAccount, shows_the_first_character_of_a_name) {
  EXPECT_EQ(maskedName("张三"), "张*");
  EXPECT_EQ(maskedName("欧阳娜娜"), "欧***");
  EXPECT_EQ(maskedName("Anna Lee"), "A*******");
  EXPECT_EQ(maskedName("张"), "*");
  EXPECT_EQ(maskedName(""), "");
  EXPECT_EQ(maskedName("\xF0\x9F\x98\x80x"), "\xF0\x9F\x98\x80*");
  EXPECT_EQ(maskedName("\xE5\xBC"), "\xE5*") << "cut UTF-8 counts byte by byte";
}

TEST(PayoutAccount, shows_the_end_of_a_bank_account_and_not_its_length) {
  EXPECT_EQ(maskedBankAccount("6222021234561234"), "**** **** **** 1234");
  EXPECT_EQ(maskedBankAccount("6222021234567890123"), "**** **** **** 0123");
  EXPECT_EQ(maskedBankAccount("12345678"), "**** **** **** 5678");
  EXPECT_EQ(maskedBankAccount("1234567"), "**** **** **** ****");
  EXPECT_EQ(maskedBankAccount(""), "**** **** **** ****");
  EXPECT_EQ(maskedBankAccount("一二三四五六七八"), "**** **** **** 五六七八");
  EXPECT_EQ(maskedBankAccount("一二三"), "**** **** **** ****");
}

TEST(PayoutAccount, shows_both_ends_of_a_phone_number_that_is_long_enough) {
  EXPECT_EQ(maskedPhone("13812345678"), "138****5678");
  EXPECT_EQ(maskedPhone("+8613812345678"), "+86****5678");
  EXPECT_EQ(maskedPhone("1381234567"), "****67");
  EXPECT_EQ(maskedPhone("123456"), "****56");
  EXPECT_EQ(maskedPhone("12345"), "****");
  EXPECT_EQ(maskedPhone(""), "****");
  EXPECT_EQ(maskedPhone("一三八一二三四五六七八"), "一三八****五六七八");
}

}  // namespace
}  // namespace tipflow::finance
