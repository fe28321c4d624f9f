#include "audience/leaderboard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tipflow::audience {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// rank:viewer:amount of each place.
std::vector<std::string> shown(const std::vector<BoardPlace>& places) {
  std::vector<std::string> text;
  for (const auto& place : places) {
    text.push_back(fmt::format("{}:{}:{}", place.rank, place.viewerId.value, place.amount.value));
  }
  return text;
}

ViewerSum given(std::int64_t viewer, std::int64_t amount) {
  return {ViewerId{viewer}, Fen{amount}};
}

TEST(Leaderboard, shows_larger_amounts_first) {
  EXPECT_THAT(shown(boardOf({given(1, 5), given(2, 30), given(3, 10)}, 10)),
              ElementsAre("1:2:30", "2:3:10", "3:1:5"));
}

TEST(Leaderboard, gives_equal_amounts_one_rank_and_leaves_out_as_many_behind_them) {
  EXPECT_THAT(shown(boardOf({given(4, 10), given(9, 7), given(3, 10), given(1, 20)}, 10)),
              ElementsAre("1:1:20", "2:3:10", "2:4:10", "4:9:7"));
}

TEST(Leaderboard, cuts_a_tie_by_viewer_and_keeps_its_rank) {
  EXPECT_THAT(shown(boardOf({given(8, 10), given(7, 10), given(6, 10)}, 2)),
              ElementsAre("1:6:10", "1:7:10"));
}

TEST(Leaderboard, of_nobody_is_empty) {
  EXPECT_THAT(boardOf({}, 10), IsEmpty());
  EXPECT_THAT(boardOf({given(1, 1)}, 0), IsEmpty());
}

TEST(Leaderboard, masks_all_but_the_first_character_and_the_length) {
  EXPECT_EQ(maskedName("alice"), "a***");
  EXPECT_EQ(maskedName("al"), "a***");
  EXPECT_EQ(maskedName("游客-17"), "游***");
  EXPECT_EQ(maskedName(""), "***");
}

TEST(Leaderboard, hides_names_and_ids_from_all_but_operators_where_the_policy_says_so) {
  const std::vector<BoardPlace> board{{1, ViewerId{7}, "alice", Fen{9}}};
  const auto seen = [&](LeaderboardPolicy policy, bool asOperator) {
    auto places = board;
    hideNames(policy, asOperator, places);
    return fmt::format("{} {}", places.front().viewerId.value, places.front().name);
  };
  EXPECT_EQ(seen(LeaderboardPolicy::everyone, false), "7 alice");
  EXPECT_EQ(seen(LeaderboardPolicy::masked, false), "0 a***");
  EXPECT_EQ(seen(LeaderboardPolicy::masked, true), "7 alice");
  EXPECT_EQ(seen(LeaderboardPolicy::operators, true), "7 alice");
}

TEST(Leaderboard, is_shown_to_operators_alone_where_the_policy_says_so) {
  EXPECT_TRUE(showsBoard(LeaderboardPolicy::everyone, false));
  EXPECT_TRUE(showsBoard(LeaderboardPolicy::masked, false));
  EXPECT_FALSE(showsBoard(LeaderboardPolicy::operators, false));
  EXPECT_TRUE(showsBoard(LeaderboardPolicy::operators, true));
}

}  // namespace
}  // namespace tipflow::audience
