#include "audience/rules.h"

#include <gtest/gtest.h>

namespace tipflow::audience {
namespace {

constexpr TipPolicy kStrict{.guestsMayTip = false, .minorsMayTip = false};

ViewerCard grownUp() {
  ViewerCard viewer;
  viewer.id = ViewerId{9};
  viewer.age = kAdultAge;
  return viewer;
}

anchor::RoomCard roomThatIs(anchor::RoomState state) {
  anchor::RoomCard room;
  room.id = RoomId{1'000'007};
  room.state = state;
  return room;
}

const anchor::RoomCard kLive = roomThatIs(anchor::RoomState::live);

TEST(WhoMayTip, a_grown_up_in_a_live_room) {
  EXPECT_EQ(whyNotTip(grownUp(), kLive, false, kStrict), std::nullopt);
}

TEST(WhoMayTip, nobody_who_was_sent_out_of_the_room) {
  EXPECT_EQ(whyNotTip(grownUp(), kLive, true, {}), ErrorCode::viewer_kicked);
}

TEST(WhoMayTip, nobody_in_a_room_that_is_not_live_whoever_was_sent_out) {
  for (const bool kicked : {false, true}) {
    EXPECT_EQ(whyNotTip(grownUp(), roomThatIs(anchor::RoomState::off), kicked, {}),
              ErrorCode::room_not_live);
    EXPECT_EQ(whyNotTip(grownUp(), roomThatIs(anchor::RoomState::banned), kicked, {}),
              ErrorCode::room_banned);
  }
}

TEST(WhoMayTip, no_minor_unless_the_policy_says_so) {
  auto minor = grownUp();
  minor.age = kAdultAge - 1;
  EXPECT_EQ(whyNotTip(minor, kLive, false, {}), ErrorCode::viewer_underage);
  EXPECT_EQ(whyNotTip(minor, kLive, false, {.guestsMayTip = true, .minorsMayTip = true}),
            std::nullopt);
}

TEST(WhoMayTip, a_guest_unless_the_policy_says_no) {
  ViewerCard guest;
  guest.kind = ViewerKind::guest;
  EXPECT_EQ(whyNotTip(guest, kLive, false, {}), std::nullopt);
  EXPECT_EQ(whyNotTip(guest, kLive, false, kStrict), ErrorCode::guests_may_not_tip);
}

TEST(WhoMayTip, nobody_who_is_disabled) {
  auto viewer = grownUp();
  viewer.state = ViewerState::disabled;
  EXPECT_EQ(whyNotTip(viewer, kLive, false, {}), ErrorCode::viewer_disabled);
}

}  // namespace
}  // namespace tipflow::audience
