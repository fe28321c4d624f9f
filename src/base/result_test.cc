#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>

namespace tipflow {
namespace {

TEST(Result, holds_a_value_or_why_there_is_none) {
  const Result<int> value = 7;
  ASSERT_TRUE(value);
  EXPECT_EQ(*value, 7);

  const Result<int> refused = ErrorCode::insufficient_balance;
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::insufficient_balance);

  const Result<int> detailed = Rejection{
      ErrorCode::invalid_request, "no", {{"amount", ErrorCode::out_of_range, "must be from 1"}}};
  EXPECT_EQ(detailed.error().errors.size(), 1U);
  EXPECT_EQ(detailed.error().errors.front().field, "amount");
}

TEST(Result, taking_what_is_not_there_throws_instead_of_reading_it) {
  const Result<int> value = 7;
  EXPECT_THROW((void)value.error(), std::bad_variant_access);
  const Result<int> refused = ErrorCode::not_found;
  EXPECT_THROW((void)*refused, std::bad_variant_access);
}

TEST(Result, hands_out_what_can_only_be_moved) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(3);
  const auto taken = *std::move(result);
  EXPECT_EQ(*taken, 3);
}

TEST(ErrorCatalogue, has_for_each_code_its_status_and_its_text_in_both_languages) {
  std::set<std::string_view> codes;
  for (const auto& entry : kErrorCatalogue) {
    EXPECT_TRUE(codes.insert(entry.code).second) << entry.code;
    EXPECT_GE(entry.status, 400) << entry.code;
    EXPECT_LT(entry.status, 600) << entry.code;
    EXPECT_FALSE(entry.en.empty()) << entry.code;
    EXPECT_FALSE(entry.zh.empty()) << entry.code;
    EXPECT_NE(entry.en, entry.zh) << entry.code;
  }
  EXPECT_EQ(info(ErrorCode::invalid_request).code, "invalid_request");
  EXPECT_EQ(info(ErrorCode::trace_id_conflict).status, 422);
  EXPECT_EQ(info(ErrorCode::insufficient_balance).status, 422);
  EXPECT_EQ(info(ErrorCode::overloaded).status, 503);
  EXPECT_EQ(info(ErrorCode::outcome_unknown).status, 504);
  EXPECT_EQ(info(ErrorCode::internal_error).code, "internal_error");
}

}  // namespace
}  // namespace tipflow
