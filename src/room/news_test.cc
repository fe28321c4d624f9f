#include "room/news.h"

#include <gtest/gtest.h>

namespace tipflow::room {
namespace {

TEST(RoomNews, chats_are_read_as_they_were_written) {
  const RoomChats sent{
      "p1", RoomId{7}, {{{ViewerId{9}, "小\"明"}, "a\\b"}, {{ViewerId{8}, "x"}, "y"}}};
  const auto got = news::readChats(news::write(sent));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->process, "p1");
  EXPECT_EQ(got->room, RoomId{7});
  ASSERT_EQ(got->chats.size(), 2U);
  EXPECT_EQ(got->chats[0].viewer.name, "小\"明");
  EXPECT_EQ(got->chats[0].text, "a\\b");
  EXPECT_EQ(got->chats[1].viewer.id, ViewerId{8});
}

TEST(RoomNews, presence_is_read_as_it_was_written) {
  const Presence sent{
      "p1", true, {{RoomId{7}, SessionId{3}, 1, 2, 3, 4}, {RoomId{8}, SessionId{4}, 0, 0, 0, 0}}};
  const auto got = news::readPresence(news::write(sent));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->process, sent.process);
  EXPECT_TRUE(got->all);
  EXPECT_EQ(got->parts, sent.parts);
  EXPECT_TRUE(news::readPresence(news::write(Presence{"p1", false, {}}))->parts.empty());
}

TEST(RoomNews, tips_are_read_as_the_contract_has_them) {
  const auto got = news::readTips(
      R"({"roomId":7,"tips":[{"tipId":11,"acceptedAt":5,"viewerId":9,"name":"v","giftId":3,
          "count":10,"amount":5200,"message":""}]})");
  ASSERT_TRUE(got);
  ASSERT_EQ(got->tips.size(), 1U);
  EXPECT_EQ(got->tips[0].id, TipId{11});
  EXPECT_EQ(got->tips[0].amount, Fen{5200});
  EXPECT_EQ(got->tips[0].acceptedAt, Time{5});
}

TEST(RoomNews, moderation_says_until_when_or_that_a_viewer_is_free) {
  const auto got =
      news::readModeration(R"({"roomId":7,"viewerId":9,"kickedUntil":123,"mutedUntil":null})");
  ASSERT_TRUE(got);
  EXPECT_EQ(got->kickedUntil, Time{123});
  EXPECT_EQ(got->mutedUntil, std::nullopt);
}

TEST(RoomNews, what_is_not_as_the_contract_has_it_is_left_out) {
  for (const char* message : {"", "x", "[]", "{}", R"({"roomId":"7","tips":[]})",
                              R"({"roomId":7,"tips":[{}]})", R"({"roomId":7,"tips":7})"}) {
    EXPECT_FALSE(news::readTips(message)) << message;
    EXPECT_FALSE(news::readChats(message)) << message;
    EXPECT_FALSE(news::readPresence(message)) << message;
    EXPECT_FALSE(news::readModeration(message)) << message;
  }
}

}  // namespace
}  // namespace tipflow::room
