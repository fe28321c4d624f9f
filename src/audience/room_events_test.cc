#include "audience/room_events.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <condition_variable>
#include <set>

namespace tipflow::audience {
namespace {

namespace bj = boost::json;

NumberedTip tip(std::int64_t id, std::int64_t room, std::int64_t amount, std::string message = {}) {
  Tip given;
  given.viewer = ViewerId{9};
  given.room = RoomId{room};
  given.amount = Fen{amount};
  given.message = std::move(message);
  return {TipId{id}, Time{id * 10}, std::move(given)};
}

std::string named(ViewerId viewer) { return "v\"" + std::to_string(viewer.value); }

TEST(RoomMessages, there_is_one_a_room_with_all_of_its_tips) {
  const auto messages = roomMessages(
      {tip(1, 7, 100), tip(2, 8, 200), tip(3, 7, 300, "好\\")}, [](RoomId) { return true; }, named);
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(bj::parse(messages[0]), bj::parse(R"({"roomId":7,"tips":[
      {"tipId":1,"acceptedAt":10,"viewerId":9,"name":"v\"9","giftId":0,"count":1,"amount":100,
       "message":""},
      {"tipId":3,"acceptedAt":30,"viewerId":9,"name":"v\"9","giftId":0,"count":1,"amount":300,
       "message":"好\\"}]})"));
  EXPECT_EQ(bj::parse(messages[1]).at("roomId"), 8);
}

TEST(RoomMessages, there_is_none_for_a_room_that_nobody_watches) {
  const auto messages = roomMessages(
      {tip(1, 7, 100), tip(2, 8, 200)}, [](RoomId room) { return room == RoomId{8}; }, named);
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(bj::parse(messages[0]).at("roomId"), 8);
}

struct Watched final : room::LiveRooms {
  bool any = true;
  [[nodiscard]] room::LiveNumbers numbers(RoomId) const override { return {}; }
  [[nodiscard]] bool isWatched(RoomId) const override { return any; }
  [[nodiscard]] bool anyWatched() const override { return any; }
};

class RoomEventsTest : public testing::Test {
 protected:
  RoomEventsTest() {
    bus_.subscribe(topic::kRoomEvents, [this](std::string_view message) {
      const auto news = bj::parse({message.data(), message.size()});
      for (const auto& tip : news.at("tips").as_array()) {
        told_.insert(tip.at("tipId").as_int64());
      }
    });
  }

  LocalBus bus_;
  Metrics metrics_;
  Watched rooms_;
  std::multiset<std::int64_t>
      told_;  // by the thread of RoomEvents, which has ended when it is read
};

TEST_F(RoomEventsTest, every_committed_tip_is_told_once_before_it_stops) {
  RoomEvents events(bus_, &rooms_, named, metrics_);
  std::multiset<std::int64_t> committed;
  for (std::int64_t id = 1; id <= 1'000; id += 2) {
    events.onCommitted({tip(id, 7, 1), tip(id + 1, id % 10, 1)});
    committed.insert({id, id + 1});
  }
  events.stop();
  EXPECT_EQ(told_, committed);
}

TEST_F(RoomEventsTest, nothing_is_told_while_nobody_watches_or_no_room_is_known) {
  rooms_.any = false;
  RoomEvents unwatched(bus_, &rooms_, named, metrics_);
  unwatched.onCommitted({tip(1, 7, 1)});
  unwatched.stop();
  EXPECT_TRUE(told_.empty());
}

}  // namespace
}  // namespace tipflow::audience
