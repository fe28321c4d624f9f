#include "room/rules.h"

#include <gtest/gtest.h>

namespace tipflow::room {
namespace {

constexpr Duration kWindow{5 * kUsPerSecond};

TipNews tip(std::int64_t id, std::int64_t viewer, std::int64_t gift, std::int64_t count,
            double at) {
  return {TipId{id},
          Time{static_cast<std::int64_t>(at * kUsPerSecond)},
          {ViewerId{viewer}, "v"},
          gift,
          count,
          Fen{count * 10},
          {}};
}

TEST(Chat, is_shown_without_blanks_around_it) {
  const ListedWords none("");
  EXPECT_EQ(*checkedChat("  你好 \n", 10, none), "你好");
}

TEST(Chat, has_as_many_characters_as_is_allowed_and_no_more) {
  const ListedWords none("");
  EXPECT_TRUE(checkedChat("好好好", 3, none));
  const auto refused = checkedChat("好好好好", 3, none);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_request);
  EXPECT_EQ(refused.error().errors.at(0).field, "text");
  EXPECT_EQ(refused.error().errors.at(0).code, ErrorCode::out_of_range);
}

TEST(Chat, is_not_blank_and_holds_no_control_characters) {
  const ListedWords none("");
  EXPECT_FALSE(checkedChat("   ", 10, none));
  const auto refused = checkedChat("a\x1B[2J", 10, none);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().errors.at(0).code, ErrorCode::invalid_format);
}

TEST(Chat, listed_words_are_starred_in_any_case_and_script) {
  const ListedWords words("spam, 坏话,");
  EXPECT_EQ(words.passed("SPAM and Spammer"), "**** and ****mer");
  EXPECT_EQ(words.passed("说坏话了"), "说**了");
  EXPECT_EQ(words.passed("fine"), "fine");
}

TEST(Chat, words_that_overlap_are_both_starred) {
  EXPECT_EQ(ListedWords("abc,bcd").passed("xabcdx"), "x****x");
}

TEST(Chat, a_filter_may_refuse_a_text_as_a_whole) {
  struct Silence final : WordFilter {
    [[nodiscard]] std::string passed(std::string) const override { return {}; }
  };
  const auto refused = checkedChat("hello", 10, Silence{});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::chat_refused);
}

TEST(Combos, count_gifts_of_one_viewer_that_follow_each_other) {
  Combos combos(kWindow);
  EXPECT_FALSE(combos.add(tip(1, 9, 3, 10, 0)));
  EXPECT_EQ(combos.add(tip(2, 9, 3, 10, 5))->count, 20);
  const auto third = combos.add(tip(3, 9, 3, 1, 9));
  EXPECT_EQ(third->count, 21);
  EXPECT_EQ(third->first, TipId{1});
}

TEST(Combos, end_when_the_window_passes_without_a_tip) {
  Combos combos(kWindow);
  (void)combos.add(tip(1, 9, 3, 10, 0));
  EXPECT_FALSE(combos.add(tip(2, 9, 3, 10, 5.000001)));
  EXPECT_EQ(combos.add(tip(3, 9, 3, 1, 6))->first, TipId{2});
}

TEST(Combos, are_of_one_viewer_and_one_gift) {
  Combos combos(kWindow);
  (void)combos.add(tip(1, 9, 3, 1, 0));
  EXPECT_FALSE(combos.add(tip(2, 8, 3, 1, 1)));
  EXPECT_FALSE(combos.add(tip(3, 9, 4, 1, 1)));
  EXPECT_FALSE(combos.add(tip(4, 9, 0, 1, 1)));
  EXPECT_FALSE(combos.add(tip(5, 9, 0, 1, 1)));  // money without a gift is no combo
}

TEST(Combos, that_are_over_are_forgotten) {
  Combos combos(kWindow);
  (void)combos.add(tip(1, 9, 3, 1, 0));
  combos.forgetBefore(Time{5 * kUsPerSecond});
  EXPECT_EQ(combos.size(), 1U);
  combos.forgetBefore(Time{5 * kUsPerSecond + 1});
  EXPECT_EQ(combos.size(), 0U);
}

}  // namespace
}  // namespace tipflow::room
