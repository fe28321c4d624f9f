#include "audience/session_tally.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <random>

namespace tipflow::audience {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Time kNow{1'770'000'000'000'000};
constexpr SessionId kSession{7};
constexpr SessionId kOther{8};

LaneTip tip(std::int64_t seq, SessionId session, std::int64_t viewer, std::int64_t amount) {
  return {LaneSeq{seq}, session, ViewerId{viewer}, Fen{amount}};
}

std::vector<std::string> shown(const std::vector<BoardPlace>& places) {
  std::vector<std::string> out;
  for (const auto& place : places) {
    out.push_back(std::to_string(place.rank) + ": " + std::to_string(place.viewerId.value) + " " +
                  std::to_string(place.amount.value));
  }
  return out;
}

TEST(SessionTally, adds_what_comes_to_what_was_there) {
  SessionTally tally;
  tally.begin(kSession, {{ViewerId{1}, {2, Fen{300}}}, {ViewerId{2}, {1, Fen{50}}}}, kNow);
  tally.take(LaneId{1}, {tip(1, kSession, 2, 400), tip(2, kSession, 3, 10)});
  tally.take(LaneId{2}, {tip(1, kSession, 1, 1)});
  EXPECT_EQ(tally.sum(kSession).tips, 6);
  EXPECT_EQ(tally.sum(kSession).amount, Fen{761});
  EXPECT_THAT(shown(tally.top(kSession, 10, kNow)), ElementsAre("1: 2 450", "2: 1 301", "3: 3 10"));
  EXPECT_THAT(shown(tally.top(kSession, 1, kNow)), ElementsAre("1: 2 450"));
}

TEST(SessionTally, waits_for_a_number_that_is_not_to_be_seen_yet) {
  SessionTally tally;
  tally.begin(kSession, {}, kNow);
  tally.take(LaneId{1}, {tip(1, kSession, 1, 5), tip(3, kSession, 1, 7)});
  EXPECT_EQ(tally.mark(LaneId{1}), LaneSeq{1});
  tally.take(LaneId{1}, {tip(2, kSession, 1, 6), tip(3, kSession, 1, 7)});
  EXPECT_EQ(tally.sum(kSession).amount, Fen{18});
}

TEST(SessionTally, counts_no_tip_twice_however_often_it_is_told) {
  SessionTally tally;
  tally.begin(kSession, {}, kNow);
  tally.take(LaneId{1}, {tip(1, kSession, 1, 5), tip(2, kSession, 1, 5)});
  tally.take(LaneId{1}, {tip(1, kSession, 1, 5), tip(2, kSession, 1, 5), tip(3, kSession, 1, 5)});
  EXPECT_EQ(tally.sum(kSession).tips, 3);
  EXPECT_EQ(tally.mark(LaneId{1}), LaneSeq{3});
}

TEST(SessionTally, does_not_count_what_the_beginning_holds_already) {
  SessionTally tally;
  tally.setMark(LaneId{1}, LaneSeq{9});
  tally.begin(kSession, {{ViewerId{1}, {9, Fen{90}}}}, kNow);
  tally.take(LaneId{1}, {tip(9, kSession, 1, 10), tip(10, kSession, 1, 10)});
  EXPECT_EQ(tally.sum(kSession).tips, 10);
  EXPECT_EQ(tally.sum(kSession).amount, Fen{100});
}

TEST(SessionTally, passes_by_other_sessions_and_keeps_them_apart) {
  SessionTally tally;
  tally.begin(kSession, {}, kNow);
  tally.take(LaneId{1}, {tip(1, kOther, 1, 5), tip(2, kSession, 1, 7)});
  EXPECT_EQ(tally.sum(kSession).amount, Fen{7});
  EXPECT_FALSE(tally.counts(kOther));
  EXPECT_EQ(tally.sum(kOther).tips, 0);
  EXPECT_THAT(tally.top(kOther, 10, kNow), IsEmpty());
}

TEST(SessionTally, drops_what_nobody_asks_about) {
  SessionTally tally;
  tally.begin(kSession, {}, kNow);
  tally.begin(kOther, {}, kNow);
  const Time later = kNow + Duration{1};
  (void)tally.top(kOther, 1, later);
  tally.dropUnasked(later);
  EXPECT_FALSE(tally.counts(kSession));
  EXPECT_TRUE(tally.counts(kOther));
}

TEST(SessionTally, agrees_with_plain_sums_whatever_the_order_of_lanes_and_the_size_of_batches) {
  std::mt19937 random(20'260'314);
  const auto upTo = [&](std::int64_t most) {
    return std::uniform_int_distribution<std::int64_t>(1, most)(random);
  };
  SessionTally tally;
  tally.begin(kSession, {}, kNow);
  tally.begin(kOther, {}, kNow);
  std::map<std::pair<SessionId, ViewerId>, std::int64_t> given;
  std::map<SessionId, std::int64_t> tips;
  std::array<std::vector<LaneTip>, 3> lanes;
  for (std::int64_t i = 1; i <= 3'000; ++i) {
    auto& lane = lanes[static_cast<std::size_t>(upTo(3) - 1)];
    const auto session = upTo(2) == 1 ? kSession : kOther;
    lane.push_back(tip(static_cast<std::int64_t>(lane.size()) + 1, session, upTo(40), upTo(9'000)));
    given[{session, lane.back().viewer}] += lane.back().amount.value;
    ++tips[session];
  }
  std::array<std::size_t, 3> done{};
  while (done[0] < lanes[0].size() || done[1] < lanes[1].size() || done[2] < lanes[2].size()) {
    const auto k = static_cast<std::size_t>(upTo(3) - 1);
    const auto from = lanes[k].begin() + static_cast<std::ptrdiff_t>(done[k]);
    const auto size =
        std::min<std::size_t>(static_cast<std::size_t>(upTo(70)), lanes[k].size() - done[k]);
    tally.take(LaneId{static_cast<std::int64_t>(k) + 1},
               {from, from + static_cast<std::ptrdiff_t>(size)});
    done[k] += size;
  }
  for (const auto session : {kSession, kOther}) {
    EXPECT_EQ(tally.sum(session).tips, tips[session]);
    for (const auto& place : tally.top(session, 100, kNow)) {
      const auto mine = given[{session, place.viewerId}];
      EXPECT_EQ(place.amount.value, mine);
      const auto more = std::count_if(given.begin(), given.end(), [&](const auto& other) {
        return other.first.first == session && other.second > mine;
      });
      EXPECT_EQ(place.rank, 1 + more);
    }
  }
}

}  // namespace
}  // namespace tipflow::audience
