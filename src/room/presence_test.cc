#include "room/presence.h"

#include <gtest/gtest.h>

namespace tipflow::room {
namespace {

constexpr RoomId kRoom{7};
constexpr SessionId kSession{3};
constexpr Time kNow{1'000 * kUsPerSecond};

Presence report(const std::string& process, std::int64_t viewers, std::int64_t joins = 0,
                std::int64_t chats = 0, SessionId session = kSession) {
  return {process, false, {{kRoom, session, viewers, 0, joins, chats}}};
}

TEST(Presence, a_room_has_the_sum_of_what_its_nodes_have) {
  PresenceBoard board;
  board.take(report("a", 10, 12, 3), kNow);
  board.take(report("b", 5, 5, 1), kNow);
  EXPECT_EQ(board.numbers(kRoom), (LiveNumbers{15, 15, 17, 4, kSession}));
  EXPECT_EQ(board.numbers(RoomId{8}), LiveNumbers{});
}

TEST(Presence, the_latest_report_of_a_node_replaces_its_earlier_ones) {
  PresenceBoard board;
  board.take(report("a", 10, 10), kNow);
  board.take(report("a", 4, 11), kNow);
  EXPECT_EQ(board.numbers(kRoom), (LiveNumbers{4, 10, 11, 0, kSession}));
}

TEST(Presence, a_silent_node_loses_its_viewers_and_keeps_what_it_counted) {
  PresenceBoard board;
  board.take(report("dead", 10, 10, 2), kNow);
  board.take(report("alive", 5, 5, 1), kNow);
  const auto later = kNow + PresenceBoard::kSilence + Duration{1};
  board.take({"alive", true, {{kRoom, kSession, 5, 0, 5, 1}}}, later);
  board.expire(later);
  EXPECT_EQ(board.numbers(kRoom), (LiveNumbers{5, 15, 15, 3, kSession}));
  EXPECT_FALSE(board.othersThan("alive"));
  EXPECT_TRUE(board.othersThan("dead"));
}

TEST(Presence, a_full_report_takes_back_rooms_it_does_not_name) {
  PresenceBoard board;
  board.take(report("a", 10, 10), kNow);
  board.take({"a", true, {}}, kNow);
  EXPECT_EQ(board.numbers(kRoom).viewers, 0);
  EXPECT_EQ(board.numbers(kRoom).joins, 10);
}

TEST(Presence, a_new_session_starts_from_nothing) {
  PresenceBoard board;
  board.take(report("a", 10, 10, 2), kNow);
  board.take(report("b", 1, 1, 0, SessionId{4}), kNow);
  EXPECT_EQ(board.numbers(kRoom), (LiveNumbers{1, 1, 1, 0, SessionId{4}}));
  board.take(report("a", 10, 10, 2), kNow);  // has not heard of it
  EXPECT_EQ(board.numbers(kRoom), (LiveNumbers{1, 1, 1, 0, SessionId{4}}));
}

TEST(Presence, a_session_that_nobody_came_to_has_nothing_of_the_one_before) {
  PresenceBoard board;
  board.take(report("a", 10, 10, 2), kNow);
  const auto numbers = board.numbers(kRoom);
  EXPECT_EQ(numbers.of(kSession), numbers);
  EXPECT_EQ(numbers.of(SessionId{4}), (LiveNumbers{0, 0, 0, 0, SessionId{4}}));
}

TEST(Presence, a_peak_is_learnt_from_nodes_that_saw_it) {
  PresenceBoard board;
  board.take({"a", true, {{kRoom, kSession, 5, 500, 5, 0}}}, kNow);
  EXPECT_EQ(board.numbers(kRoom).peakViewers, 500);
}

}  // namespace
}  // namespace tipflow::room
