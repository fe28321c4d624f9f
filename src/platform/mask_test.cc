#include "platform/mask.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace tipflow {
namespace {

TEST(Mask, replaces_secrets_and_personal_data_in_a_body) {
  EXPECT_EQ(maskedJson(R"({"kind":"viewer","name":"mei","password":"hunter2"})"),
            R"({"kind":"viewer","name":"mei","password":"***"})");
  EXPECT_EQ(maskedJson(R"({"realName":"a","bankAccount":"b","phone":"c","amount":5})"),
            R"({"realName":"***","bankAccount":"***","phone":"***","amount":5})");
  EXPECT_EQ(maskedJson(R"({"token":"t","signingKey":"k","expiresAt":"2026"})"),
            R"({"token":"***","signingKey":"***","expiresAt":"2026"})");
}

TEST(Mask, knows_a_secret_name_in_any_case_and_within_a_longer_one) {
  EXPECT_EQ(maskedJson(R"({"PassWord":"x"})"), R"({"PassWord":"***"})");
  EXPECT_EQ(maskedJson(R"({"newPassword":"x","old_password":"y"})"),
            R"({"newPassword":"***","old_password":"***"})");
  EXPECT_EQ(maskedJson(R"({"SIGNINGKEY":"x"})"), R"({"SIGNINGKEY":"***"})");
}

TEST(Mask, knows_a_secret_name_written_with_escapes) {
  EXPECT_EQ(maskedJson(R"({"\u0070assword":"x","ph\u006Fne":"y"})"),
            R"({"password":"***","phone":"***"})");
}

TEST(Mask, looks_into_every_depth_and_list_and_replaces_values_of_every_type) {
  EXPECT_EQ(maskedJson(R"([{"a":{"phone":[1,{"b":2}]}},{"token":7},{"password":null}])"),
            R"([{"a":{"phone":"***"}},{"token":"***"},{"password":"***"}])");
}

TEST(Mask, shows_no_earlier_value_of_a_repeated_name) {
  const auto masked = maskedJson(R"({"password":"first","password":"second","a":1})");
  EXPECT_EQ(masked.find("first"), std::string::npos);
  EXPECT_EQ(masked.find("second"), std::string::npos);
}

TEST(Mask, writes_the_length_of_what_is_no_json_object_or_list) {
  EXPECT_EQ(maskedJson(R"({"password":"hunter2")"), "(21 bytes)");
  EXPECT_EQ(maskedJson("password=hunter2"), "(16 bytes)");
  EXPECT_EQ(maskedJson(R"("hunter2")"), "(9 bytes)");
  EXPECT_EQ(maskedJson(""), "(0 bytes)");
  EXPECT_EQ(maskedJson("{\"a\":\"\xff\"}"), "(9 bytes)");
  EXPECT_EQ(maskedJson(std::string(40, '[') + std::string(40, ']')), "(80 bytes)");
}

TEST(Mask, writes_no_number_that_readers_refuse) {
  EXPECT_EQ(maskedJson("[1e999999,-1e99999,1.5]"), "[null,null,1.5E0]");
}

TEST(Mask, looks_into_no_body_that_is_very_long) {
  const auto body = "[\"" + std::string(1'000'000, 'a') + "\"]";
  EXPECT_TRUE(mayHoldSecrets(body));
  EXPECT_EQ(maskedJson(body), "(1000004 bytes)");
}

TEST(Mask, writes_one_line_that_is_json_again) {
  const auto masked = maskedJson("{\n \"message\": \"two\\nlines\\u0000\"\n}");
  EXPECT_EQ(masked.find('\n'), std::string::npos);
  EXPECT_EQ(boost::json::parse(masked).at("message").as_string(), std::string("two\nlines\0", 10));
}

TEST(Mask, replaces_secrets_in_a_query_however_the_name_is_written) {
  EXPECT_EQ(maskedQuery("q=mei&password=hunter2&x"), "q=mei&password=***&x");
  EXPECT_EQ(maskedQuery("%70assword=hunter2"), "%70assword=***");
  EXPECT_EQ(maskedQuery("PHONE=1&+token=2&%20realName=3"), "PHONE=***&+token=***&%20realName=***");
  EXPECT_EQ(maskedQuery("pageToken=abc&token%3d=1"), "pageToken=abc&token%3d=1");
  EXPECT_EQ(maskedQuery("token=a=b"), "token=***");
  EXPECT_EQ(maskedQuery(""), "");
  EXPECT_EQ(maskedQuery("&&%"), "&&%");
}

TEST(Mask, the_quick_look_misses_nothing_that_the_careful_one_replaces) {
  for (const auto* text :
       {R"({"password":"x"})", R"({"SigningKey":"x"})", R"({"\u0070hone":"x"})",
        R"([{"realName":1}])", R"({"newPassword":"x"})", R"({"bankAccount":1})"}) {
    EXPECT_NE(maskedJson(text).find(kMasked), std::string::npos) << text;
    EXPECT_TRUE(mayHoldSecrets(text)) << text;
  }
  EXPECT_TRUE(mayHoldSecrets("%70assword=1"));
  EXPECT_FALSE(
      mayHoldSecrets(R"({"traceId":"5f0c","roomId":1000001,"amount":500,"message":"keep going"})"));
  EXPECT_FALSE(mayHoldSecrets("from=2026-01-01T00:00:00.000Z&limit=10"));
}

}  // namespace
}  // namespace tipflow
