#include "room/client_frame.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace tipflow::room {
namespace {

/// What the client is told of a frame that is refused: its code, and the field at fault.
std::pair<ErrorCode, std::string> refusalOf(std::string_view text) {
  const auto read = readClientFrame(text);
  EXPECT_FALSE(read.frame) << text;
  if (read.frame) return {};
  const auto& rejection = read.frame.error();
  return {rejection.code, rejection.errors.empty() ? "" : rejection.errors[0].field};
}

TEST(ClientFrame, a_chat_has_an_id_and_a_text) {
  const auto read = readClientFrame(R"({"type":"chat","id":"a1","text":"你好"})");
  ASSERT_TRUE(read.frame);
  EXPECT_EQ(read.frame->kind, ClientFrame::Kind::chat);
  EXPECT_EQ(read.frame->id, "a1");
  EXPECT_EQ(read.frame->text, "你好");
}

TEST(ClientFrame, a_ping_needs_nothing_else) {
  const auto read = readClientFrame(R"({"type":"ping"})");
  ASSERT_TRUE(read.frame);
  EXPECT_EQ(read.frame->kind, ClientFrame::Kind::ping);
}

TEST(ClientFrame, what_is_wrong_is_named) {
  using enum ErrorCode;
  const auto is = [](ErrorCode code, const char* field) {
    return std::pair(code, std::string(field));
  };
  EXPECT_EQ(refusalOf("x"), is(malformed_json, ""));
  EXPECT_EQ(refusalOf("[]"), is(invalid_request, ""));
  EXPECT_EQ(refusalOf("{}"), is(invalid_request, "type"));
  EXPECT_EQ(refusalOf(R"({"type":7})"), is(invalid_request, "type"));
  EXPECT_EQ(refusalOf(R"({"type":"tip"})"), is(invalid_request, "type"));
  EXPECT_EQ(refusalOf(R"({"type":"chat","text":"x"})"), is(invalid_request, "id"));
  EXPECT_EQ(refusalOf(R"({"type":"chat","id":"1"})"), is(invalid_request, "text"));
  EXPECT_EQ(refusalOf(R"({"type":"chat","id":"1","text":["x"]})"), is(invalid_request, "text"));
  EXPECT_EQ(refusalOf(R"({"type":"chat","id":"1","text":"x","to":2})"), is(invalid_request, "to"));
  EXPECT_EQ(refusalOf(R"([[[[[[1]]]]]])"), is(malformed_json, ""));
  EXPECT_EQ(refusalOf(R"({"type":"chat","text":"x","id":")" + std::string(65, 'x') + "\"}"),
            is(invalid_request, "id"));
}

TEST(ClientFrame, an_error_carries_the_id_of_its_frame_when_that_could_be_read) {
  const auto read = readClientFrame(R"({"type":"chat","id":"a\"1"})");
  const auto told = boost::json::parse(error(read.id, read.frame.error()));
  EXPECT_EQ(told, boost::json::parse(R"({"type":"error","id":"a\"1","code":"invalid_request",
      "detail":"text is required"})"));
  EXPECT_TRUE(
      boost::json::parse(error(std::nullopt, {ErrorCode::malformed_json})).at("id").is_null());
}

TEST(ClientFrame, who_is_too_fast_or_muted_hears_when_to_try_again) {
  Rejection rejection{ErrorCode::too_many_requests};
  rejection.retryAfterSeconds = 3;
  EXPECT_EQ(boost::json::parse(error("1", rejection)).at("retryAfter"), 3);
}

}  // namespace
}  // namespace tipflow::room
