#include "audience/session_sums.h"

#include <gtest/gtest.h>

namespace tipflow::audience {
namespace {

constexpr SessionId kSession{5};

std::vector<NumberedTip> tips(std::int64_t count, std::int64_t amount,
                              SessionId session = kSession) {
  std::vector<NumberedTip> made;
  for (std::int64_t i = 0; i < count; ++i) {
    NumberedTip tip;
    tip.tip.session = session;
    tip.tip.amount = Fen{amount};
    made.push_back(tip);
  }
  return made;
}

std::pair<std::int64_t, std::int64_t> shown(const SessionSums& sums, SessionId session = kSession) {
  const auto sum = sums.of(session);
  return {sum.tips, sum.amount.value};
}
using Pair = std::pair<std::int64_t, std::int64_t>;

/// What `lanes` finished lanes up to `below`, but for `except`, gave to the session.
wire::SumsNews finished(std::int64_t lanes, std::int64_t below, std::vector<std::int64_t> except,
                        std::int64_t count, std::int64_t amount, std::int64_t round = 0) {
  wire::SumsNews news;
  auto& told = news.finished.emplace();
  told.round = {round};
  told.lanes = {lanes};
  told.below = {below};
  for (const auto lane : except) told.except.items.push_back({lane});
  if (count > 0) told.sums.items.push_back({{kSession.value}, {count}, {amount}});
  return news;
}

/// As it would come from another node.
wire::SumsNews across(const wire::SumsNews& news) {
  return json::readBody<wire::SumsNews>(json::toText(news));
}

TEST(SessionSums, add_up_what_all_nodes_commit) {
  SessionSums one;
  SessionSums two;
  SessionSums watcher;
  one.add(LaneId{1}, tips(2, 100));
  two.add(LaneId{2}, tips(3, 10));
  for (auto* from : {&one, &two}) {
    const auto news = across(from->news(false));
    for (auto* to : {&one, &two, &watcher}) to->take(news);
  }
  for (const auto* node : {&one, &two, &watcher}) EXPECT_EQ(shown(*node), Pair(5, 230));
  EXPECT_EQ(shown(watcher, SessionId{6}), Pair(0, 0));
}

TEST(SessionSums, tell_only_what_changed_and_everything_when_asked) {
  SessionSums sums;
  sums.add(LaneId{1}, tips(1, 100));
  sums.add(LaneId{1}, tips(1, 100, SessionId{6}));
  EXPECT_EQ(sums.news(false).lanes.items.at(0).sums.items.size(), 2U);
  EXPECT_TRUE(sums.news(false).lanes.items.empty());
  sums.add(LaneId{1}, tips(1, 100));
  EXPECT_EQ(sums.news(false).lanes.items.at(0).sums.items.size(), 1U);
  EXPECT_EQ(sums.news(true).lanes.items.at(0).sums.items.size(), 2U);
}

TEST(SessionSums, a_message_that_comes_twice_or_not_at_all_changes_nothing_in_the_end) {
  SessionSums from;
  SessionSums to;
  from.add(LaneId{1}, tips(1, 100));
  (void)from.news(false);  // lost
  from.add(LaneId{1}, tips(1, 100));
  const auto news = from.news(false);
  to.take(news);
  to.take(news);
  EXPECT_EQ(shown(to), Pair(2, 200));
}

TEST(SessionSums, what_a_dead_process_told_stays_until_its_lane_is_counted_as_finished) {
  SessionSums dying;
  SessionSums watcher;
  dying.add(LaneId{1}, tips(2, 100));
  watcher.take(finished(0, 1, {1}, 0, 0));
  watcher.take(dying.news(true));
  dying.add(LaneId{1}, tips(1, 100));  // committed, and killed before it told
  EXPECT_EQ(shown(watcher), Pair(2, 200));
  watcher.take(finished(1, 1, {}, 3, 300));
  EXPECT_EQ(shown(watcher), Pair(3, 300)) << "all of it, and none of it twice";
  watcher.take(dying.news(true));  // a late message
  EXPECT_EQ(shown(watcher), Pair(3, 300));
}

TEST(SessionSums, whoever_has_not_noticed_that_a_lane_is_finished_does_not_undo_it) {
  SessionSums sums;
  sums.take(finished(3, 4, {4}, 3, 300));
  sums.take(finished(2, 3, {3}, 2, 200));
  EXPECT_EQ(shown(sums), Pair(3, 300));
  sums.take(finished(2, 3, {3}, 4, 400, 1));
  EXPECT_EQ(shown(sums), Pair(4, 400)) << "a later round counts anew";
}

TEST(SessionSums, count_lanes_that_opened_after_the_finished_ones_were_counted) {
  SessionSums sums;
  sums.take(finished(4, 4, {}, 7, 700));
  sums.add(LaneId{5}, tips(1, 100));
  EXPECT_EQ(shown(sums), Pair(8, 800));
}

TEST(SessionSums, a_process_whose_lane_was_taken_for_finished_asks_for_a_recount) {
  SessionSums sums;
  sums.add(LaneId{1}, tips(2, 100));
  EXPECT_FALSE(sums.mustRecount());
  sums.take(finished(1, 1, {}, 1, 100));
  EXPECT_TRUE(sums.mustRecount());
  EXPECT_EQ(sums.ownLanes(), std::vector{LaneId{1}});
  sums.take(finished(0, 1, {1}, 0, 0, 1));
  EXPECT_FALSE(sums.mustRecount());
  EXPECT_EQ(shown(sums), Pair(2, 200));
}

TEST(SessionSums, its_own_words_that_come_back_late_do_not_undo_what_it_counted_since) {
  SessionSums sums;
  sums.add(LaneId{1}, tips(1, 100));
  const auto old = sums.news(true);
  sums.add(LaneId{1}, tips(1, 100));
  sums.take(old);
  EXPECT_EQ(shown(sums), Pair(2, 200));
}

TEST(SessionSums, a_node_that_only_listens_forgets_what_the_others_forgot) {
  SessionSums from;
  SessionSums to;
  from.add(LaneId{1}, tips(1, 100));
  to.take(across(from.news(true)));
  from.forgetClosed({});
  from.forgetClosed({});
  to.take(across(from.news(true)));
  EXPECT_EQ(shown(to), Pair(0, 0));
}

TEST(SessionSums, forget_sessions_that_stay_closed) {
  SessionSums sums;
  sums.add(LaneId{1}, tips(1, 100));
  sums.add(LaneId{1}, tips(1, 100, SessionId{6}));
  sums.forgetClosed({SessionId{6}});
  EXPECT_EQ(shown(sums), Pair(1, 100)) << "a tip may still be on its way";
  sums.forgetClosed({SessionId{6}});
  EXPECT_EQ(shown(sums), Pair(0, 0));
  EXPECT_EQ(shown(sums, SessionId{6}), Pair(1, 100));
}

}  // namespace
}  // namespace tipflow::audience
