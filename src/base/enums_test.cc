#include "base/enums.h"

#include <gtest/gtest.h>

namespace tipflow {
namespace {

TEST(Enums, every_word_reads_back_as_the_value_it_shows) {
  for (const auto gender : {Gender::unknown, Gender::male, Gender::female}) {
    EXPECT_EQ(fromWord<Gender>(word(gender)), gender);
  }
  for (const auto kind : {PrincipalKind::viewer, PrincipalKind::anchor, PrincipalKind::operator_}) {
    EXPECT_EQ(fromWord<PrincipalKind>(word(kind)), kind);
  }
}

TEST(Enums, words_are_the_contracts_and_are_taken_exactly) {
  EXPECT_EQ(word(Gender::male), "male");
  EXPECT_EQ(word(Gender::female), "female");
  EXPECT_EQ(word(Gender::unknown), "unknown");
  EXPECT_EQ(word(PrincipalKind::operator_), "operator");
  for (const auto* text : {"", "Male", "male ", "m", "0"}) {
    EXPECT_FALSE(fromWord<Gender>(text)) << text;
  }
}

}  // namespace
}  // namespace tipflow
