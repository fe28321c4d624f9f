#include "load/watch/feed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tipflow::load::watch {
namespace {

using ::testing::SizeIs;
using Kind = RoomFrame::Kind;

std::string tipEvent(std::uint32_t number, int amount) {
  return R"({"kind":"tip","viewer":{"id":9,"name":"a"},"amount":)" + std::to_string(amount) +
         R"(,"message":")" + tipMessage(number) + R"(","tipId":5})";
}
std::string eventsFrame(std::int64_t offset, const std::vector<std::string>& events) {
  std::string list;
  for (const auto& event : events) list += (list.empty() ? "" : ",") + event;
  return R"({"type":"events","offset":)" + std::to_string(offset) + R"(,"events":[)" + list + "]}";
}
RoomFrame hello(std::int64_t offset) {
  RoomFrame frame;
  frame.kind = Kind::hello;
  frame.offset = offset;
  return frame;
}
RoomFrame events(std::int64_t offset, std::int64_t count) {
  RoomFrame frame;
  frame.kind = Kind::events;
  frame.offset = offset;
  frame.events = count;
  return frame;
}

TEST(RoomFrames, tell_our_tips_from_others) {
  const auto frame = readRoomFrame(
      eventsFrame(17, {tipEvent(3, 250), R"({"kind":"chat","message":"seen 4","amount":9})",
                       R"({"kind":"tip","amount":70,"message":"thanks"})",
                       R"({"kind":"tip","amount":70,"message":null})",
                       R"({"kind":"join","count":2})", tipEvent(4, 50)}));
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->kind, Kind::events);
  EXPECT_EQ(frame->offset, 17);
  EXPECT_EQ(frame->events, 6);
  ASSERT_THAT(frame->tips, SizeIs(2));
  EXPECT_EQ(frame->tips[0].number, 3U);
  EXPECT_EQ(frame->tips[1].amountFen, 50);
  EXPECT_EQ(frame->amountFen, 300);
}

TEST(RoomFrames, of_other_kinds_are_read) {
  const auto first = readRoomFrame(
      R"({"type":"hello","roomId":7,"epoch":"e1","offset":1041,"viewers":2,"you":{"muted":false}})");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->kind, Kind::hello);
  EXPECT_EQ(first->epoch, "e1");
  EXPECT_EQ(first->offset, 1041);
  const auto last = readRoomFrame(R"({"type":"bye","code":"drain","retryAfter":3})");
  ASSERT_TRUE(last);
  EXPECT_EQ(last->code, "drain");
  EXPECT_EQ(last->retryAfterSeconds, 3);
  EXPECT_EQ(readRoomFrame(R"({"type":"bye","code":"closed","retryAfter":null})")->retryAfterSeconds,
            std::nullopt);
  EXPECT_EQ(readRoomFrame(R"({"type":"pong"})")->kind, Kind::other);
}

TEST(RoomFrames, that_are_not_what_the_contract_says_are_not_read) {
  for (const auto* text :
       {"", "{", "[]", "{}", R"({"type":"events","offset":1})", R"({"type":"events","events":[]})",
        R"({"type":"hello","offset":1})", R"({"type":"bye"})", R"({"type":5})"}) {
    EXPECT_FALSE(readRoomFrame(text)) << text;
  }
}

TEST(TipMessages, are_read_back_and_others_are_not_taken_for_them) {
  EXPECT_EQ(tipNumber(tipMessage(4'000'000'000U)), 4'000'000'000U);
  for (const auto* text : {"", "seen", "seen ", "seen x", "seen 1 ", "4", "seen 99999999999"}) {
    EXPECT_FALSE(tipNumber(text)) << text;
  }
}

TEST(Feeds, read_a_frame_once_for_all_viewers) {
  Feed feed;
  std::vector<Feed::Place> places(100, feed.end());
  for (int tick = 1; tick <= 10; ++tick) {
    const auto text = eventsFrame(tick, {tipEvent(static_cast<std::uint32_t>(tick), 100 + tick)});
    for (auto& place : places) {
      const auto* frame = feed.take(text, place);
      ASSERT_NE(frame, nullptr);
      EXPECT_EQ(frame->amountFen, 100 + tick);
    }
  }
  EXPECT_EQ(feed.read(), 10U);
}

TEST(Feeds, find_the_frame_of_a_viewer_who_is_behind_or_was_away) {
  Feed feed;
  Feed::Place quick = feed.end();
  Feed::Place slow = feed.end();
  for (int tick = 1; tick <= 30; ++tick) feed.take(eventsFrame(tick, {"{}"}), quick);
  for (int tick = 1; tick <= 30; ++tick) {
    EXPECT_EQ(feed.take(eventsFrame(tick, {"{}"}), slow)->offset, tick);
  }
  Feed::Place away = 3;
  EXPECT_EQ(feed.take(eventsFrame(20, {"{}"}), away)->offset, 20);
  EXPECT_EQ(feed.take(eventsFrame(21, {"{}"}), away)->offset, 21);
  EXPECT_EQ(feed.read(), 30U);
  // So far behind that it is forgotten: read once more.
  for (int tick = 31; tick <= 200; ++tick) feed.take(eventsFrame(tick, {"{}"}), quick);
  EXPECT_EQ(feed.take(eventsFrame(5, {"{}"}), slow)->offset, 5);
  EXPECT_EQ(feed.read(), 201U);
}

TEST(Feeds, do_not_keep_what_is_for_one_viewer_alone) {
  Feed feed;
  Feed::Place place = feed.end();
  EXPECT_EQ(feed.take(R"({"type":"hello","epoch":"e","offset":4})", place)->offset, 4);
  EXPECT_EQ(feed.end(), 0U);
  EXPECT_EQ(feed.take("nonsense", place), nullptr);
}

TEST(Continuity, of_a_viewer_who_misses_nothing_is_whole) {
  Continuity viewer;
  viewer.hear(hello(10), 1);
  for (const auto& frame : {events(12, 2), events(12, 0), events(20, 8)}) {
    const auto verdict = viewer.hear(frame, 0);
    EXPECT_FALSE(verdict.gap || verdict.repeat || verdict.anew);
  }
  EXPECT_TRUE(viewer.whole());
  EXPECT_EQ(viewer.offset(), 20);
}

TEST(Continuity, notices_what_is_missing_and_what_comes_again) {
  Continuity gap;
  gap.hear(hello(10), 1);
  EXPECT_TRUE(gap.hear(events(13, 2), 0).gap);
  EXPECT_FALSE(gap.whole());
  Continuity repeat;
  repeat.hear(hello(10), 1);
  EXPECT_TRUE(repeat.hear(events(12, 3), 0).repeat);
  EXPECT_FALSE(repeat.whole());
  Continuity headless;
  EXPECT_TRUE(headless.hear(events(3, 3), 0).gap) << "no hello before the first events";
}

TEST(Continuity, takes_a_fresh_start_for_one_only_where_it_is_not_the_same_place) {
  Continuity same;
  same.hear(hello(10), 1);
  EXPECT_FALSE(same.hear(hello(10), 1).anew);
  EXPECT_TRUE(same.whole());
  EXPECT_TRUE(same.hear(hello(11), 1).anew);
  EXPECT_FALSE(same.whole());
  Continuity other;
  other.hear(hello(10), 1);
  EXPECT_TRUE(other.hear(hello(10), 2).anew) << "another epoch";
}

}  // namespace
}  // namespace tipflow::load::watch
