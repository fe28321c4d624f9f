#include "anchor/card_book.h"

#include <gtest/gtest.h>

namespace tipflow::anchor {
namespace {

constexpr Time kNow{1'000};

wire::Card cardOf(std::int64_t room, RoomState state, std::int64_t session = 0) {
  wire::Card card;
  card.roomId = {room};
  card.anchorId = {room + 100};
  card.anchorName = {"Li"};
  card.anchorGender = Gender::female;
  card.state = state;
  card.sessionId = {session};
  card.tags.items = {{"music"}, {"talk"}};
  return card;
}

TEST(CardBook, answers_for_the_rooms_and_anchors_it_was_told_of) {
  CardBook book;
  EXPECT_FALSE(book.room(RoomId{7}, kNow));
  book.keep(cardOf(7, RoomState::live, 3), book.ask());
  book.keep(cardOf(8, RoomState::off), book.ask());
  const auto room = book.room(RoomId{7}, kNow);
  ASSERT_TRUE(room);
  EXPECT_EQ(room->anchor, AnchorId{107});
  EXPECT_EQ(room->session, SessionId{3});
  EXPECT_EQ(room->anchorGender, Gender::female);
  ASSERT_TRUE(book.anchor(AnchorId{108}));
  EXPECT_EQ(book.anchor(AnchorId{108})->room, RoomId{8});
  EXPECT_EQ(book.anchor(AnchorId{108})->name, "Li");
  ASSERT_EQ(book.liveRooms().size(), 1U);
  EXPECT_EQ(book.liveRooms()[0].id, RoomId{7});
  EXPECT_EQ(book.tags(RoomId{7}), (std::vector<std::string>{"music", "talk"}));
  EXPECT_TRUE(book.tags(RoomId{9}).empty());
}

TEST(CardBook, an_answer_that_was_asked_for_earlier_does_not_replace_a_later_one) {
  CardBook book;
  const auto slow = book.ask();
  const auto quick = book.ask();
  book.keep(cardOf(7, RoomState::banned), quick);
  book.keep(cardOf(7, RoomState::live, 3), slow);
  EXPECT_EQ(book.room(RoomId{7}, kNow)->state, RoomState::banned);
  book.keep(cardOf(7, RoomState::live, 4), book.ask());
  EXPECT_EQ(book.room(RoomId{7}, kNow)->session, SessionId{4});
}

TEST(CardBook, a_ban_ends_at_its_time_without_news) {
  CardBook book;
  auto card = cardOf(7, RoomState::banned);
  card.bannedUntil = wire::Number{1'001};
  book.keep(card, book.ask());
  EXPECT_EQ(book.room(RoomId{7}, kNow)->state, RoomState::banned);
  EXPECT_EQ(book.room(RoomId{7}, Time{1'001})->state, RoomState::off);
}

}  // namespace
}  // namespace tipflow::anchor
