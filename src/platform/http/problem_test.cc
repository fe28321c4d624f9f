#include "platform/http/problem.h"

#include <gtest/gtest.h>

namespace tipflow::http {
namespace {

constexpr std::string_view kTrace = "0192f3a4b5c67d8e9fa0b1c2d3e4f506";

boost::json::object bodyOf(const ResponsePtr& response) {
  const auto body = response->body();
  return boost::json::parse({body.data(), body.size()}).as_object();
}

boost::json::object problemOf(const Rejection& rejection, std::string_view language = "") {
  return bodyOf(problem(rejection, kTrace, language));
}

TEST(Problem, has_every_member_of_the_contract) {
  const auto response = problem({ErrorCode::insufficient_balance}, kTrace, "en");
  EXPECT_EQ(response->getStatusCode(), 422);
  EXPECT_EQ(response->contentTypeString(), "application/problem+json");
  const auto body = bodyOf(response);
  EXPECT_EQ(body.at("type"), "/docs#error-insufficient_balance");
  EXPECT_EQ(body.at("title"), "The available balance is smaller than that.");
  EXPECT_EQ(body.at("status"), 422);
  EXPECT_EQ(body.at("code"), "insufficient_balance");
  EXPECT_EQ(body.at("detail"), body.at("title"));
  EXPECT_EQ(body.at("traceId"), "0192f3a4b5c67d8e9fa0b1c2d3e4f506");
  EXPECT_FALSE(body.contains("errors"));
}

TEST(Problem, is_written_for_every_code_with_its_status_in_both_languages) {
  for (unsigned i = 0; i < kErrorCatalogue.size(); ++i) {
    const auto code = static_cast<ErrorCode>(i);
    SCOPED_TRACE(info(code).code);
    for (const auto* language : {"en", "zh-CN"}) {
      const auto response = problem({code}, kTrace, language);
      EXPECT_EQ(static_cast<int>(response->getStatusCode()), info(code).status);
      const auto body = bodyOf(response);
      EXPECT_EQ(std::string_view(body.at("code").as_string()), info(code).code);
      EXPECT_EQ(std::string_view(body.at("title").as_string()),
                std::string_view(language) == "en" ? info(code).en : info(code).zh);
    }
  }
}

TEST(Problem, says_the_detail_where_there_is_one) {
  const auto body = problemOf({ErrorCode::body_too_large, "at most 65536 bytes"}, "en");
  EXPECT_EQ(body.at("detail"), "at most 65536 bytes");
}

TEST(Problem, lists_each_field_at_fault) {
  const Rejection rejection{ErrorCode::invalid_request,
                            {},
                            {{"amount", ErrorCode::out_of_range, "must be from 1 to 100"},
                             {"tips[3].traceId", ErrorCode::required, ""}}};
  const auto english = problemOf(rejection, "en").at("errors").as_array();
  ASSERT_EQ(english.size(), 2U);
  EXPECT_EQ(english[0].at("field"), "amount");
  EXPECT_EQ(english[0].at("code"), "out_of_range");
  EXPECT_EQ(english[0].at("detail"), "must be from 1 to 100");
  EXPECT_EQ(english[1].at("field"), "tips[3].traceId");
  EXPECT_EQ(english[1].at("detail"), "This field is required.");

  const auto chinese = problemOf(rejection, "zh").at("errors").as_array();
  EXPECT_EQ(chinese[0].at("code"), "out_of_range");
  EXPECT_EQ(chinese[0].at("detail"), "取值超出范围。");
  EXPECT_EQ(chinese[1].at("detail"), "该字段必填。");
}

TEST(Problem, no_name_of_a_field_can_leave_its_quotes) {
  const auto body = problemOf(
      {ErrorCode::invalid_request, {}, {{"a\",\"b\":\"\n", ErrorCode::unknown_field, "x"}}});
  EXPECT_EQ(body.at("errors").at(0).at("field"), "a\",\"b\":\"\n");
}

TEST(Problem, tells_when_to_come_back_and_how_to_sign_in) {
  EXPECT_EQ(problem({ErrorCode::overloaded}, kTrace, "")->getHeader("retry-after"), "1");
  EXPECT_EQ(problem({ErrorCode::role_unavailable}, kTrace, "")->getHeader("retry-after"), "1");
  EXPECT_EQ(problem({ErrorCode::not_found}, kTrace, "")->getHeader("retry-after"), "");
  EXPECT_EQ(problem({ErrorCode::unauthenticated}, kTrace, "")->getHeader("www-authenticate"),
            "Bearer");
  EXPECT_EQ(problem({ErrorCode::forbidden}, kTrace, "")->getHeader("www-authenticate"), "");
}

TEST(Problem, is_in_the_language_that_the_reader_names_first) {
  for (const auto* language : {"zh", "zh-CN", "zh-CN,zh;q=0.9,en;q=0.8", "zh-TW, en;q=0.5"}) {
    EXPECT_TRUE(prefersChinese(language)) << language;
  }
  for (const auto* language : {"", "en", "en-GB", "en-US,en;q=0.9,zh;q=0.8", "fr", "*"}) {
    EXPECT_FALSE(prefersChinese(language)) << language;
  }
}

}  // namespace
}  // namespace tipflow::http
