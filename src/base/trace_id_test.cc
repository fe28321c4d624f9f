#include "base/trace_id.h"

#include <gtest/gtest.h>

namespace tipflow {
namespace {

TEST(TraceId, reads_a_uuid_with_or_without_dashes_in_either_case_as_the_same_id) {
  const auto plain = TraceId::parse("0192f3a4b5c67d8e9fa0b1c2d3e4f506");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain, TraceId::parse("0192F3A4-B5C6-7D8E-9FA0-B1C2D3E4F506"));
  EXPECT_EQ(plain->hex(), "0192f3a4b5c67d8e9fa0b1c2d3e4f506");
}

TEST(TraceId, refuses_everything_else) {
  for (const auto* text :
       {"", "0192f3a4", "0192f3a4b5c67d8e9fa0b1c2d3e4f50g", "0192f3a4-b5c67-d8e-9fa0-b1c2d3e4f506",
        "0192f3a4b5c67d8e9fa0b1c2d3e4f5067890"}) {
    EXPECT_FALSE(TraceId::parse(text)) << text;
  }
}

TEST(TraceId, survives_its_stored_form_and_keeps_its_order_there) {
  const auto early = *TraceId::parse("00000000000000010000000000000000");
  const auto late = *TraceId::parse("0000000000000001ff00000000000000");
  const auto bytes = late.bytes();
  EXPECT_EQ(TraceId::fromBytes({bytes.data(), bytes.size()}), late);
  // As a database compares them: byte by byte, unsigned.
  const auto earlyBytes = early.bytes();
  EXPECT_LT(std::string_view(earlyBytes.data(), 16), std::string_view(bytes.data(), 16));
  EXPECT_LT(early, late);
  EXPECT_THROW(TraceId::fromBytes("short"), std::invalid_argument);
}

TEST(TraceId, made_ids_are_uuid_version_7_and_ordered_by_time) {
  SeededRandom random(1);
  const auto first = TraceId::make(Time{1'700'000'000'000'000}, random);
  const auto second = TraceId::make(Time{1'700'000'000'001'000}, random);
  EXPECT_LT(first, second);
  EXPECT_EQ(first.hex()[12], '7');
  EXPECT_EQ(first.low >> 62, 2U);
}

}  // namespace
}  // namespace tipflow
