#include "anchor/rules.h"

#include <gmock/gmock.h>

namespace tipflow::anchor {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Time kNow{1'770'000'000'000'000};
constexpr Duration kTick{1};

TEST(Expiry, is_over_at_the_very_instant_it_lasts_until) {
  EXPECT_TRUE(holds(kNow + kTick, kNow));
  EXPECT_FALSE(holds(kNow, kNow));
  EXPECT_FALSE(holds(kNow - kTick, kNow));
  EXPECT_EQ(whileItHolds(kNow + kTick, kNow), kNow + kTick);
  EXPECT_EQ(whileItHolds(kNow, kNow), std::nullopt);
  EXPECT_EQ(whileItHolds(std::nullopt, kNow), std::nullopt);
}

TEST(Ban, leaves_the_room_off_once_its_time_is_over) {
  EXPECT_EQ(stateAt(RoomState::banned, kNow + kTick, kNow), RoomState::banned);
  EXPECT_EQ(stateAt(RoomState::banned, kNow, kNow), RoomState::off);
}

TEST(Ban, without_an_end_lasts) {
  EXPECT_EQ(stateAt(RoomState::banned, std::nullopt, kNow), RoomState::banned);
}

TEST(Ban, that_is_over_says_nothing_of_a_room_that_was_opened_since) {
  EXPECT_EQ(stateAt(RoomState::live, kNow - kTick, kNow), RoomState::live);
  EXPECT_EQ(stateAt(RoomState::off, kNow + kTick, kNow), RoomState::off);
}

TEST(Ban, ends_after_it_begins) {
  EXPECT_EQ(faultOfBan(std::nullopt, kNow), std::nullopt);
  EXPECT_EQ(faultOfBan(kNow + kTick, kNow), std::nullopt);
  for (const auto until : {kNow, kNow - kTick}) {
    const auto fault = faultOfBan(until, kNow);
    ASSERT_TRUE(fault);
    EXPECT_EQ(fault->field, "until");
    EXPECT_EQ(fault->code, ErrorCode::out_of_range);
  }
}

std::vector<std::string> shown(const std::vector<TagCount>& tags) {
  std::vector<std::string> out;
  for (const auto& tag : tags) {
    out.push_back(tag.tag + " " + std::to_string(tag.rooms) + " " + std::to_string(tag.viewers));
  }
  return out;
}

TEST(Tags, of_rooms_and_viewers_are_one_list_in_byte_order) {
  EXPECT_THAT(shown(firstTags({{"B", 1}, {"a", 2}, {"音乐", 3}}, {{"a", 40}, {"b", 50}}, 10)),
              ElementsAre("B 1 0", "a 2 40", "b 0 50", "音乐 3 0"));
  EXPECT_THAT(firstTags({}, {}, 10), IsEmpty());
}

TEST(Tags, beyond_the_page_are_left_to_the_next) {
  // Each list is cut at the limit; what is beyond the last tag of one may be missing in it.
  EXPECT_THAT(shown(firstTags({{"a", 1}, {"b", 1}}, {{"c", 1}, {"d", 1}}, 2)),
              ElementsAre("a 1 0", "b 1 0"));
  EXPECT_THAT(shown(firstTags({{"a", 1}, {"c", 1}}, {{"b", 1}, {"c", 7}}, 2)),
              ElementsAre("a 1 0", "b 0 1"));
}

}  // namespace
}  // namespace tipflow::anchor
