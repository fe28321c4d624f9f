#include "load/choice.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace tipflow::load {
namespace {

TEST(Chooser, gives_only_what_the_contract_allows) {
  Chooser chooser({.rooms = 10, .viewers = 200}, 1);
  for (int i = 0; i < 100'000; ++i) {
    const auto choice = chooser.next();
    ASSERT_LT(choice.viewer, 200U);
    ASSERT_LT(choice.room, 10U);
    ASSERT_GE(choice.amount, Fen{1});
    ASSERT_LE(choice.amount, Fen{100'000'000});
    ASSERT_GE(choice.count, 1);
    ASSERT_LE(choice.count, 9'999);
    ASSERT_NO_THROW((void)messageText(choice.message));
  }
}

TEST(Chooser, favours_the_first_rooms_and_leaves_none_out) {
  constexpr int kTips = 100'000;
  std::vector<int> tips(10);
  Chooser chooser({.rooms = tips.size(), .viewers = 5}, 1);
  for (int i = 0; i < kTips; ++i) ++tips[chooser.next().room];
  // 1 / (1 + 1/2 + … + 1/10) = 0.341 for the first, a tenth of it for the last.
  EXPECT_NEAR(tips[0], 0.341 * kTips, 1'000);
  EXPECT_NEAR(tips[9], 0.0341 * kTips, 500);
}

TEST(Chooser, favours_nobody_when_asked_not_to) {
  constexpr int kTips = 100'000;
  std::vector<int> tips(10);
  Chooser chooser({.rooms = tips.size(), .viewers = 5, .roomExponent = 0}, 1);
  for (int i = 0; i < kTips; ++i) ++tips[chooser.next().room];
  for (const auto count : tips) EXPECT_NEAR(count, kTips / 10, 500);
}

TEST(Chooser, lets_every_viewer_tip) {
  std::set<std::uint32_t> viewers;
  Chooser chooser({.rooms = 1, .viewers = 50}, 3);
  for (int i = 0; i < 2'000; ++i) viewers.insert(chooser.next().viewer);
  EXPECT_EQ(viewers.size(), 50U);
}

TEST(Chooser, plants_pairs_of_rooms_that_the_same_viewers_like) {
  constexpr int kTips = 100'000;
  constexpr std::uint32_t kRooms = 10;
  Chooser chooser({.rooms = kRooms, .viewers = 500, .taste = 0.8}, 1);
  std::vector<int> tips(kRooms);
  int liked = 0;
  for (int i = 0; i < kTips; ++i) {
    const auto choice = chooser.next();
    ASSERT_LT(choice.room, kRooms);
    ++tips[choice.room];
    if (choice.room % (kRooms / 2) == choice.viewer % (kRooms / 2)) ++liked;
  }
  // Of the rest a fifth comes to them by chance.
  EXPECT_NEAR(liked, (0.8 + 0.2 * 0.2) * kTips, 3'000);
  for (const auto count : tips) EXPECT_GT(count, 0.07 * kTips);
  Chooser alone({.rooms = 1, .viewers = 5, .taste = 1}, 1);
  EXPECT_EQ(alone.next().room, 0U);
}

TEST(Chooser, repeats_itself_from_the_same_seed_only) {
  Chooser first({.rooms = 10, .viewers = 200}, 42);
  Chooser same({.rooms = 10, .viewers = 200}, 42);
  Chooser other({.rooms = 10, .viewers = 200}, 43);
  int different = 0;
  for (int i = 0; i < 100; ++i) {
    const auto choice = first.next();
    const auto again = same.next();
    EXPECT_EQ(choice.viewer, again.viewer);
    EXPECT_EQ(choice.room, again.room);
    EXPECT_EQ(choice.amount, again.amount);
    if (other.next().viewer != choice.viewer) ++different;
  }
  EXPECT_GT(different, 50);
}

TEST(Chooser, takes_a_chance_as_often_as_asked) {
  Chooser chooser({.rooms = 1, .viewers = 1}, 5);
  int taken = 0;
  for (int i = 0; i < 10'000; ++i) {
    if (chooser.chance(0.25)) ++taken;
    EXPECT_FALSE(chooser.chance(0));
    EXPECT_TRUE(chooser.chance(1));
  }
  EXPECT_NEAR(taken, 2'500, 200);
}

}  // namespace
}  // namespace tipflow::load
