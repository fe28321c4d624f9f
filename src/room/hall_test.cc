#include "room/hall.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace tipflow::room {
namespace {

namespace bj = boost::json;
constexpr Time kNow{1'000 * kUsPerSecond};

TipNews tip(std::int64_t id, std::int64_t amount = 100, double at = 0, std::int64_t gift = 0) {
  return {TipId{id},
          kNow + Duration{static_cast<std::int64_t>(at * kUsPerSecond)},
          {ViewerId{9}, "小明"},
          gift,
          1,
          Fen{amount},
          {}};
}

class HallTest : public testing::Test {
 protected:
  static HallLimits limits() {
    HallLimits limits;
    limits.chatsATick = 3;
    limits.knownTips = 100;
    return limits;
  }
  bj::object tick() { return bj::parse(hall_.tick(kNow).value()).as_object(); }

  Hall hall_{RoomId{7}, "e1", limits()};
};

TEST_F(HallTest, a_tick_in_which_nothing_happened_has_no_frame) {
  EXPECT_EQ(hall_.tick(kNow), std::nullopt);
}

TEST_F(HallTest, everything_of_a_tick_is_in_one_frame) {
  hall_.tip(tip(1, 5'200));
  hall_.chat({{ViewerId{8}, "b"}, "你好 \"x\""});
  hall_.crowd(12, 12);
  hall_.stats({12, 5'200, 1});
  const auto frame = tick();
  EXPECT_EQ(frame.at("type"), "events");
  EXPECT_EQ(frame.at("offset"), 4);
  EXPECT_FALSE(frame.contains("chatsLeftOut"));
  const auto& events = frame.at("events").as_array();
  ASSERT_EQ(events.size(), 4U);
  EXPECT_EQ(events[0], bj::parse(R"({"kind":"tip","viewer":{"id":9,"name":"小明"},"giftId":0,
      "count":1,"amount":5200,"message":null,"tipId":1,"combo":null})"));
  EXPECT_EQ(events[1], bj::parse(R"({"kind":"chat","viewer":{"id":8,"name":"b"},
      "text":"你好 \"x\""})"));
  EXPECT_EQ(events[2], bj::parse(R"({"kind":"join","count":12})"));
  EXPECT_EQ(events[3], bj::parse(R"({"kind":"stats","viewers":12,"revenue":5200,"tips":1})"));
}

TEST_F(HallTest, a_tip_is_told_once_however_often_it_comes) {
  EXPECT_TRUE(hall_.tip(tip(1)));
  EXPECT_FALSE(hall_.tip(tip(1)));
  EXPECT_EQ(tick().at("events").as_array().size(), 1U);
  EXPECT_FALSE(hall_.tip(tip(1)));
  EXPECT_EQ(hall_.tick(kNow), std::nullopt);
}

TEST_F(HallTest, no_tip_is_left_out_and_they_stand_in_the_order_of_acceptance) {
  for (int i = 500; i > 0; --i) hall_.tip(tip(i, i, i * 0.001));
  const auto frame = tick();
  const auto& events = frame.at("events").as_array();
  ASSERT_EQ(events.size(), 500U);
  for (int i = 0; i < 500; ++i) {
    EXPECT_EQ(events[static_cast<std::size_t>(i)].at("tipId").as_int64(), i + 1);
  }
}

TEST_F(HallTest, chat_above_the_bound_is_sampled_and_the_frame_says_how_many_are_missing) {
  for (int i = 0; i < 50; ++i) hall_.chat({{ViewerId{9}, "a"}, std::to_string(i)});
  const auto frame = tick();
  EXPECT_EQ(frame.at("chatsLeftOut"), 47);
  EXPECT_EQ(frame.at("events").as_array().size(), 3U);
  hall_.chat({{ViewerId{9}, "a"}, "next"});
  EXPECT_FALSE(tick().contains("chatsLeftOut"));
}

TEST_F(HallTest, a_combo_is_a_number_beside_tips_that_all_stand_for_themselves) {
  hall_.tip(tip(1, 10, 0, 3));
  hall_.tip(tip(2, 10, 1, 3));
  const auto frame = tick();
  const auto& events = frame.at("events").as_array();
  EXPECT_TRUE(events[0].at("combo").is_null());
  EXPECT_EQ(events[1].at("combo"), bj::parse(R"({"id":"1","count":2})"));
  EXPECT_EQ(events[1].at("amount"), 10);
}

TEST_F(HallTest, joins_and_leaves_are_counts) {
  hall_.crowd(10, 10);
  (void)hall_.tick(kNow);
  hall_.crowd(8, 13);
  const auto frame = tick();
  const auto& events = frame.at("events").as_array();
  EXPECT_EQ(events[0], bj::parse(R"({"kind":"join","count":3})"));
  EXPECT_EQ(events[1], bj::parse(R"({"kind":"leave","count":5})"));
  hall_.crowd(8, 13);
  EXPECT_EQ(hall_.tick(kNow), std::nullopt);
}

TEST_F(HallTest, who_was_there_before_is_not_told_as_having_come) {
  hall_.begin(100, 500);
  hall_.crowd(101, 501);
  EXPECT_EQ(tick().at("events").at(0), bj::parse(R"({"kind":"join","count":1})"));
}

TEST_F(HallTest, counts_and_boards_wait_for_company_where_they_may_not_go_alone) {
  hall_.crowd(10, 10);
  hall_.stats({10, 0, 0});
  EXPECT_TRUE(hall_.hasCountsAlone());
  EXPECT_EQ(hall_.tick(kNow, false), std::nullopt);
  hall_.crowd(9, 12);
  hall_.chat({{ViewerId{9}, "小明"}, "hello"});
  EXPECT_FALSE(hall_.hasCountsAlone());
  const auto frame = bj::parse(hall_.tick(kNow, false).value());
  const auto& events = frame.at("events").as_array();
  ASSERT_EQ(events.size(), 4U);
  EXPECT_EQ(events[1], bj::parse(R"({"kind":"join","count":12})"));
  EXPECT_EQ(events[2], bj::parse(R"({"kind":"leave","count":3})"));
  EXPECT_EQ(events[3], bj::parse(R"({"kind":"stats","viewers":10,"revenue":0,"tips":0})"));
  EXPECT_FALSE(hall_.hasCountsAlone());
  EXPECT_EQ(hall_.tick(kNow), std::nullopt);
}

TEST_F(HallTest, stats_board_and_state_are_told_when_they_changed) {
  const std::vector<TopPlace> board{{1, {ViewerId{9}, "小明"}, Fen{300}}};
  for (int i = 0; i < 2; ++i) {
    hall_.stats({1, std::nullopt, 0});
    hall_.top(board);
    hall_.state(anchor::RoomState::banned);
  }
  const auto frame = tick();
  const auto& events = frame.at("events").as_array();
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[1], bj::parse(R"({"kind":"top","items":[{"rank":1,
      "viewer":{"id":9,"name":"小明"},"amount":300}]})"));
  EXPECT_EQ(events[2], bj::parse(R"({"kind":"state","state":"banned"})"));
}

TEST_F(HallTest, who_was_away_gets_exactly_what_was_missed) {
  hall_.tip(tip(1));
  const auto seen = tick().at("offset").as_int64();
  hall_.tip(tip(2));
  hall_.tip(tip(3));
  (void)hall_.tick(kNow);
  const auto missed = bj::parse(hall_.missed("e1", seen).value()).as_object();
  EXPECT_EQ(missed.at("offset"), 3);
  ASSERT_EQ(missed.at("events").as_array().size(), 2U);
  EXPECT_EQ(missed.at("events").at(0).at("tipId"), 2);
  EXPECT_EQ(bj::parse(hall_.missed("e1", 3).value()).at("events").as_array().size(), 0U);
}

TEST_F(HallTest, who_comes_from_another_epoch_or_too_late_gets_nothing_of_it) {
  EXPECT_EQ(hall_.missed("e0", 0), std::nullopt);
  EXPECT_EQ(hall_.missed("e1", 1), std::nullopt);
  HallLimits small;
  small.ringBytes = 300;
  Hall hall(RoomId{7}, "e1", small);
  for (int i = 1; i <= 10; ++i) hall.tip(tip(i));
  (void)hall.tick(kNow);
  EXPECT_EQ(hall.missed("e1", 0), std::nullopt);
  EXPECT_NE(hall.missed("e1", 9), std::nullopt);
}

TEST_F(HallTest, a_name_that_is_masked_is_shown_without_its_viewer) {
  hall_.top({{1, {ViewerId{0}, "v***"}, Fen{100}}});
  EXPECT_EQ(tick().at("events").at(0).at("items").at(0).at("viewer"),
            bj::parse(R"({"id":null,"name":"v***"})"));
}

TEST_F(HallTest, a_hello_says_where_the_room_stands) {
  hall_.tip(tip(1));
  (void)hall_.tick(kNow);
  const auto hello = bj::parse(hall_.helloBegin({3, 100, 1}) + std::string(helloEnd(true)));
  EXPECT_EQ(hello, bj::parse(R"({"type":"hello","roomId":7,"epoch":"e1","offset":1,"viewers":3,
      "revenue":100,"state":"live","you":{"muted":true}})"));
}

TEST(Bye, says_why_and_when_to_return) {
  EXPECT_EQ(bye("drain", 4), R"({"type":"bye","code":"drain","retryAfter":4})");
  EXPECT_EQ(bye("closed", std::nullopt), R"({"type":"bye","code":"closed","retryAfter":null})");
}

}  // namespace
}  // namespace tipflow::room
