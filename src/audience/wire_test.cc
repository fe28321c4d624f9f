#include "audience/wire.h"

#include <gtest/gtest.h>

namespace tipflow::audience::wire {
namespace {

template <class T>
T across(const T& value) {
  return json::readBody<T>(json::toText(value));
}

TEST(AudienceWire, brings_the_sums_of_lanes_across) {
  const std::vector<audience::LaneSum> sums{
      {LaneId{3}, "node \"1\"", true, {7, Fen{700}}, {2, Fen{200}}, Time{9}, Time{8}},
      {LaneId{4}, "", false, {}, {}, {}, {}}};
  const auto got = fromWire(across(toWire(sums)));
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0].lane, LaneId{3});
  EXPECT_EQ(got[0].node, "node \"1\"");
  EXPECT_TRUE(got[0].open);
  EXPECT_EQ(got[0].all.tips, 7);
  EXPECT_EQ(got[0].all.amount, Fen{700});
  EXPECT_EQ(got[0].aboveCursor.amount, Fen{200});
  EXPECT_EQ(got[0].newest, Time{9});
  EXPECT_EQ(got[0].oldestAbove, Time{8});
  EXPECT_FALSE(got[1].open);
}

TEST(AudienceWire, tells_a_board_that_is_hidden_from_one_that_is_empty) {
  SessionBoard board{{1, Fen{5}}, std::nullopt, Time{4}};
  EXPECT_FALSE(fromWire(across(toWire(board))).top);
  board.top.emplace();
  ASSERT_TRUE(fromWire(across(toWire(board))).top);
  EXPECT_TRUE(fromWire(across(toWire(board))).top->empty());
  board.top->push_back({1, ViewerId{0}, "王***", Fen{5}});
  const auto got = fromWire(across(toWire(board)));
  EXPECT_EQ(got.sum.amount, Fen{5});
  EXPECT_EQ(got.asOf, Time{4});
  EXPECT_EQ(got.top->at(0).viewerId, ViewerId{0});
  EXPECT_EQ(got.top->at(0).name, "王***");
  EXPECT_EQ(got.top->at(0).rank, 1);
}

TEST(AudienceWire, brings_tags_and_viewers_across_as_they_are) {
  const auto tags = fromWire(across(toWire(std::vector<audience::TagUse>{{"音乐", 3}})));
  ASSERT_EQ(tags.size(), 1U);
  EXPECT_EQ(tags[0].tag, "音乐");
  EXPECT_EQ(tags[0].count, 3);
  const auto viewers =
      fromWire(across(toWire(std::vector<ViewerFacts>{{ViewerId{9}, " 李 ", {"a", "b"}}})));
  ASSERT_EQ(viewers.size(), 1U);
  EXPECT_EQ(viewers[0].name, " 李 ");
  EXPECT_EQ(viewers[0].tags, (std::vector<std::string>{"a", "b"}));
}

}  // namespace
}  // namespace tipflow::audience::wire
