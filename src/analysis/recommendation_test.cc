#include "analysis/recommendation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tipflow::analysis {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Time kNow{1'790'000'000'000'000};

TagSum ofViewers(std::int64_t viewers) { return {viewers * 1'024, viewers}; }

/// guitar and folk go together, guitar and games do not.
Associations known() {
  return {{{"guitar", ofViewers(100)}, {"folk", ofViewers(100)}, {"games", ofViewers(100)}},
          {{{"folk", "guitar"}, ofViewers(90)}, {{"games", "guitar"}, ofViewers(2)}}};
}

CandidateRoom room(std::int64_t id, std::vector<std::string> tags, bool live = true) {
  CandidateRoom made;
  made.room = RoomId{id};
  made.tags = std::move(tags);
  made.live = live;
  made.recentTips = 10;
  return made;
}

std::vector<std::int64_t> order(const std::vector<std::string>& viewerTags,
                                const std::vector<CandidateRoom>& rooms, std::size_t limit = 10) {
  std::vector<std::int64_t> ids;
  for (const auto& one : rankRooms(viewerTags, rooms, known(), kNow, limit)) {
    ids.push_back(rooms[one.candidate].room.value);
  }
  return ids;
}

TEST(Associations, are_1_for_a_tag_and_itself_and_0_for_what_nobody_has) {
  EXPECT_EQ(known().of("unheard of", "unheard of"), 1);
  EXPECT_EQ(known().of("guitar", "unheard of"), 0);
  EXPECT_EQ(known().of("folk", "games"), 0);
  EXPECT_GT(known().of("guitar", "folk"), 0.8);
  EXPECT_EQ(known().of("guitar", "folk"), known().of("folk", "guitar"));
}

TEST(Recommendation, ranks_by_what_goes_with_the_viewers_tags_and_says_why) {
  const std::vector rooms{room(1, {"games"}), room(2, {"folk"}), room(3, {"guitar"}), room(4, {})};
  const auto ranked = rankRooms({"guitar"}, rooms, known(), kNow, 10);
  EXPECT_THAT(order({"guitar"}, rooms), ElementsAre(3, 2, 1, 4));
  ASSERT_THAT(ranked, SizeIs(4));
  ASSERT_THAT(ranked[1].because, SizeIs(1));
  EXPECT_EQ(ranked[1].because[0].viewerTag, "guitar");
  EXPECT_EQ(ranked[1].because[0].roomTag, "folk");
  EXPECT_EQ(ranked[1].because[0].association, known().of("guitar", "folk"));
  EXPECT_THAT(ranked[3].because, IsEmpty());
  EXPECT_EQ(ranked[3].score, 0);
  for (const auto& one : ranked) {
    EXPECT_GE(one.score, 0);
    EXPECT_LE(one.score, 1);
  }
}

TEST(Recommendation, takes_the_mean_over_all_pairs_of_tags) {
  const auto ranked =
      rankRooms({"guitar", "other"}, {room(1, {"guitar", "folk"})}, known(), kNow, 1);
  ASSERT_THAT(ranked, SizeIs(1));
  EXPECT_DOUBLE_EQ(ranked[0].score, (1 + known().of("guitar", "folk")) / 4);
}

TEST(Recommendation, puts_live_rooms_before_others_however_well_those_fit) {
  EXPECT_THAT(order({"guitar"}, {room(1, {"guitar"}, false), room(2, {"games"})}),
              ElementsAre(2, 1));
}

TEST(Recommendation, prefers_a_popular_room_up_to_twice) {
  auto popular = room(2, {"folk"});
  popular.recentTips = 100'000;
  auto quiet = room(1, {"folk"});
  quiet.recentTips = 0;
  const auto ranked = rankRooms({"guitar"}, {quiet, popular}, known(), kNow, 10);
  EXPECT_EQ(ranked[0].candidate, 1U);
  EXPECT_DOUBLE_EQ(ranked[0].score, 2 * ranked[1].score);
}

TEST(Recommendation, holds_back_what_was_seen_just_now_and_less_with_each_day) {
  const auto scoreSeen = [](std::optional<Duration> ago) {
    auto one = room(1, {"guitar"});
    if (ago) one.seenAt = kNow - *ago;
    return rankRooms({"guitar"}, {one}, known(), kNow, 1)[0].score;
  };
  EXPECT_EQ(scoreSeen(std::nullopt), 1);
  EXPECT_DOUBLE_EQ(scoreSeen(Duration{0}), 0.5);
  EXPECT_DOUBLE_EQ(scoreSeen(Duration{kUsPerDay}), 0.75);
  EXPECT_GT(scoreSeen(Duration{30 * kUsPerDay}), 0.999);
  EXPECT_DOUBLE_EQ(scoreSeen(-Duration{kUsPerDay}), 0.5) << "a clock that is ahead";
}

TEST(Recommendation, without_tags_is_by_popularity_and_then_by_id) {
  auto popular = room(3, {"games"});
  popular.recentTips = 11;
  EXPECT_THAT(order({}, {room(2, {"folk"}), room(1, {}), popular}), ElementsAre(3, 1, 2));
}

TEST(Recommendation, answers_no_more_than_was_asked_for) {
  EXPECT_THAT(order({"guitar"}, {room(1, {}), room(2, {"guitar"}), room(3, {})}, 1),
              ElementsAre(2));
  EXPECT_THAT(order({"guitar"}, {}), IsEmpty());
}

}  // namespace
}  // namespace tipflow::analysis
