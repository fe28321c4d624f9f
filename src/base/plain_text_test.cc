#include "base/plain_text.h"

#include <gtest/gtest.h>

#include <string>

namespace tipflow {
namespace {

TEST(PlainText, ends_at_the_first_byte_that_json_escapes_or_that_is_not_ascii) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const bool plain = byte >= 0x20 && byte < 0x7F && c != '"' && c != '\\';
    EXPECT_EQ(isPlainAscii(c), plain) << byte;
    for (std::size_t at = 0; at < 20; ++at) {
      for (const char filler : {' ', '!', '~', 'a', '#', '[', ']'}) {
        std::string text(20, filler);
        text[at] = c;
        EXPECT_EQ(plainPrefix(text), plain ? text.size() : at) << byte << " after " << filler;
        // Whatever comes behind it.
        if (!plain && at + 1 < text.size()) {
          text[at + 1] = '"';
          EXPECT_EQ(plainPrefix(text), at) << byte;
        }
      }
    }
  }
}

TEST(PlainText, may_be_empty_or_short) {
  EXPECT_EQ(plainPrefix(""), 0U);
  EXPECT_EQ(plainPrefix("a"), 1U);
  EXPECT_EQ(plainPrefix("1234567"), 7U);
  EXPECT_EQ(plainPrefix("12345678"), 8U);
  EXPECT_EQ(plainPrefix("1234567\""), 7U);
}

}  // namespace
}  // namespace tipflow
