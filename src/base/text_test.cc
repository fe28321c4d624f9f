#include "base/text.h"

#include <gtest/gtest.h>

namespace tipflow {
namespace {

std::string quoted(std::string_view text) {
  std::string out;
  appendJsonString(out, text);
  return out;
}

TEST(Text, reads_characters_of_every_length) {
  EXPECT_EQ(firstCharacter("a主").value, U'a');
  EXPECT_EQ(firstCharacter("é").value, U'é');
  EXPECT_EQ(firstCharacter("主播").value, U'主');
  EXPECT_EQ(firstCharacter("主播").size, 3U);
  EXPECT_EQ(firstCharacter("🎁").value, U'🎁');
  EXPECT_EQ(firstCharacter("\xF4\x8F\xBF\xBF").value, char32_t{0x10FFFF});
}

TEST(Text, what_is_not_utf_8_has_no_character) {
  for (const auto* bytes : {"", "\x80", "\xBF", "\xC0\xAF", "\xC1\xBF", "\xC3", "\xC3(", "\xE4\xB8",
                            "\xE0\x9F\xBF", "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF",
                            "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF"}) {
    EXPECT_EQ(firstCharacter(bytes).size, 0U) << testing::PrintToString(bytes);
  }
}

TEST(Text, blank_is_what_shows_nothing_in_any_script) {
  for (const char32_t c : {U' ', U'\t', U'\n', U'\x00A0', U'\x2003', U'\x200B', U'\x200D',
                           U'\x202E', U'\x2060', U'\x3000', U'\x3164', U'\xFEFF'}) {
    EXPECT_TRUE(isBlank(c)) << static_cast<std::uint32_t>(c);
  }
  for (const char32_t c : {U'a', U'_', U'主', U'。', U'🎁', U'\xFE0F', U'\xFFFD'}) {
    EXPECT_FALSE(isBlank(c)) << static_cast<std::uint32_t>(c);
  }
}

TEST(Text, is_trimmed_of_blanks_at_both_ends_and_kept_inside) {
  EXPECT_EQ(trimmed(""), "");
  EXPECT_EQ(trimmed(" \t\r\n "), "");
  EXPECT_EQ(trimmed("\u3000\u200B\uFEFF"), "");
  EXPECT_EQ(trimmed(" a b "), "a b");
  EXPECT_EQ(trimmed("\u3000小 \u3000明\u200B"), "小 \u3000明");
  EXPECT_EQ(trimmed("👩\u200D👧"), "👩\u200D👧");
  EXPECT_EQ(trimmed("❤\uFE0F"), "❤\uFE0F");
  EXPECT_EQ(trimmed("\xFF "), "\xFF");
}

TEST(Text, controls_are_those_of_c0_and_c1_and_delete) {
  EXPECT_FALSE(hasControl("a 主 🎁\u00A0"));
  EXPECT_TRUE(hasControl("a\x1f"));
  EXPECT_TRUE(hasControl("\x7f"));
  EXPECT_TRUE(hasControl("主\u0085"));
  EXPECT_TRUE(hasControl("\u009B2J"));
  EXPECT_TRUE(hasControl(std::string_view("a\0b", 3)));
}

TEST(Text, as_json_keeps_what_may_stand_and_escapes_the_rest) {
  EXPECT_EQ(quoted(""), R"("")");
  EXPECT_EQ(quoted("小明 🎁"), R"("小明 🎁")");
  EXPECT_EQ(quoted("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(quoted("a\nb\x7f"), R"("a\u000ab\u007f")");
  EXPECT_EQ(quoted(std::string_view("\0", 1)), R"("\u0000")");
  EXPECT_EQ(quoted("\u0085\u2028\u2029"), R"("\u0085\u2028\u2029")");
}

TEST(Text, as_json_shows_bytes_that_are_not_utf_8_as_replacement_characters) {
  EXPECT_EQ(quoted("a\xFF"
                   "b"),
            "\"a\uFFFDb\"");
  EXPECT_EQ(quoted("\xE4\xB8"), "\"\uFFFD\uFFFD\"");
  EXPECT_EQ(quoted("\xE4\xB8\""), "\"\uFFFD\uFFFD\\\"\"");
}

}  // namespace
}  // namespace tipflow
