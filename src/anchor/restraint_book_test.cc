#include "anchor/restraint_book.h"

#include <gtest/gtest.h>

#include <thread>

namespace tipflow::anchor {
namespace {

constexpr Time kNow{1'770'000'000'000'000};
constexpr Duration kSecond{kUsPerSecond};
constexpr RoomId kRoom{1'000'007};
constexpr ViewerId kViewer{9};

TEST(RestraintBook, knows_nothing_of_who_is_free) {
  RestraintBook book;
  EXPECT_EQ(book.of(kRoom, kViewer, kNow), RestraintState{});
}

TEST(RestraintBook, holds_until_the_instant_that_was_said) {
  RestraintBook book;
  book.set({kRoom, kViewer, {kNow + kSecond, kNow + 2 * kSecond}}, kNow);
  const Duration tick{1};
  EXPECT_EQ(book.of(kRoom, kViewer, kNow + kSecond - tick),
            (RestraintState{kNow + kSecond, kNow + 2 * kSecond}));
  EXPECT_EQ(book.of(kRoom, kViewer, kNow + kSecond),
            (RestraintState{std::nullopt, kNow + 2 * kSecond}));
  EXPECT_EQ(book.of(kRoom, kViewer, kNow + 2 * kSecond), RestraintState{});
}

TEST(RestraintBook, keeps_rooms_and_viewers_apart) {
  RestraintBook book;
  book.set({RoomId{1}, ViewerId{2}, {kNow + kSecond, {}}}, kNow);
  EXPECT_EQ(book.of(RoomId{2}, ViewerId{1}, kNow), RestraintState{});
  EXPECT_EQ(book.of(RoomId{1}, ViewerId{3}, kNow), RestraintState{});
  EXPECT_EQ(book.of(RoomId{3}, ViewerId{2}, kNow), RestraintState{});
}

TEST(RestraintBook, takes_the_newest_word_on_a_viewer) {
  RestraintBook book;
  book.set({kRoom, kViewer, {kNow + 9 * kSecond, {}}}, kNow);
  book.set({kRoom, kViewer, {kNow + kSecond, {}}}, kNow);
  EXPECT_EQ(book.of(kRoom, kViewer, kNow).kickedUntil, kNow + kSecond);
  book.set({kRoom, kViewer, {}}, kNow);
  EXPECT_EQ(book.of(kRoom, kViewer, kNow), RestraintState{});
  EXPECT_EQ(book.size(), 0U);
}

TEST(RestraintBook, forgets_what_is_not_in_a_new_whole) {
  RestraintBook book;
  book.set({kRoom, kViewer, {kNow + kSecond, {}}}, kNow);
  book.replace({{kRoom, ViewerId{10}, {{}, kNow + kSecond}}});
  EXPECT_EQ(book.of(kRoom, kViewer, kNow), RestraintState{});
  EXPECT_EQ(book.of(kRoom, ViewerId{10}, kNow).mutedUntil, kNow + kSecond);
}

TEST(RestraintBook, does_not_grow_with_what_is_over) {
  RestraintBook book;
  Time now = kNow;
  for (int i = 1; i <= 100'000; ++i) {
    book.set({kRoom, ViewerId{i}, {now + kSecond, {}}}, now);
    now = now + Duration{10'000};  // 100 of them hold at any time
  }
  EXPECT_LE(book.size(), 1'024U);
  EXPECT_TRUE(book.of(kRoom, ViewerId{100'000}, now - Duration{10'000}).kickedUntil);
}

TEST(RestraintBook, answers_many_while_one_changes_it) {
  RestraintBook book;
  book.set({kRoom, kViewer, {kNow + kSecond, {}}}, kNow);
  std::jthread writer([&](const std::stop_token& stop) {
    for (std::int64_t i = 1; !stop.stop_requested(); i = i % 5'000 + 1) {
      book.set({RoomId{1}, ViewerId{i}, {kNow + kSecond, {}}}, kNow);
    }
  });
  int wrong = 0;
  for (int i = 0; i < 100'000; ++i) {
    if (book.of(kRoom, kViewer, kNow).kickedUntil != kNow + kSecond) ++wrong;
  }
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace tipflow::anchor
