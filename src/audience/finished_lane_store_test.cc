// What sessions got through lanes that nobody writes any more, on both databases.
#include "audience/finished_lane_store.h"

#include <gmock/gmock.h>

#include "audience/tip_store.h"
#include "store/database.h"

namespace tipflow::audience::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr Time kNow{1'770'000'000'123'456};
constexpr Duration kLease{10 * kUsPerSecond};
constexpr Duration kRunOut{-1};
constexpr RoomId kRoom{31};
constexpr SessionId kSession{5};

class FinishedLaneStore : public ::testing::TestWithParam<fixture::Engine> {
 protected:
  void give(LaneId lane, std::int64_t count, std::int64_t amount, SessionId session = kSession,
            Time at = kNow) {
    std::vector<NumberedTip> tips;
    for (std::int64_t i = 0; i < count; ++i) {
      NumberedTip tip;
      const LaneSeq seq{++last[lane]};
      tip.id = tipIdOf(lane, seq);
      tip.acceptedAt = at;
      tip.tip.traceId = {1, static_cast<std::uint64_t>(tip.id.value)};
      tip.tip.viewer = ViewerId{9};
      tip.tip.room = kRoom;
      tip.tip.anchor = AnchorId{3};
      tip.tip.session = session;
      tip.tip.amount = Fen{amount};
      tips.push_back(tip);
    }
    insertTips(*c, tips);
  }
  wire::FinishedSums count(const std::vector<LaneId>& alive = {}) {
    auto finished = finishedLanes(*c, "node-1", "process-now", alive);
    addSums(*c, {{kRoom, AnchorId{3}, Gender::female, anchor::RoomState::live, kSession}},
            finished);
    return finished;
  }
  static std::vector<std::int64_t> exceptOf(const wire::FinishedSums& finished) {
    std::vector<std::int64_t> lanes;
    for (const auto& lane : finished.except.items) lanes.push_back(lane.value);
    return lanes;
  }
  static std::pair<std::int64_t, std::int64_t> sumOf(const wire::FinishedSums& finished) {
    if (finished.sums.items.empty()) return {0, 0};
    EXPECT_EQ(finished.sums.items.size(), 1U);
    return {finished.sums.items[0].tips.value, finished.sums.items[0].amount.value};
  }
  using Pair = std::pair<std::int64_t, std::int64_t>;

  fixture::TestDatabase database{GetParam(), "db1"};
  std::unique_ptr<db::Connection> c = database.connect();
  std::map<LaneId, std::int64_t> last;
};
TIPFLOW_ON_BOTH(FinishedLaneStore);

TEST_P(FinishedLaneStore, counts_closed_lanes_and_leaves_out_those_that_are_written) {
  const auto closed = openLane(*c, "node-2", "process-b", kLease);
  const auto settled = openLane(*c, "node-2", "process-b", kLease);
  const auto open = openLane(*c, "node-2", "process-c", kLease);
  const auto own = openLane(*c, "node-1", "process-now", kLease);
  give(closed, 2, 100);
  give(settled, 1, 1'000);
  give(open, 4, 7);
  give(own, 4, 7);
  setLaneState(*c, closed, LaneState::closed, LaneSeq{2});
  setLaneState(*c, settled, LaneState::settled, LaneSeq{1});
  const auto finished = count();
  EXPECT_THAT(exceptOf(finished), UnorderedElementsAre(open.value, own.value));
  EXPECT_EQ(finished.lanes.value, 2);
  EXPECT_GE(finished.below.value, own.value);
  EXPECT_EQ(sumOf(finished), Pair(3, 1'200));
}

TEST_P(FinishedLaneStore, a_lane_is_finished_only_when_its_lease_and_its_connection_are_gone) {
  auto dying = database.connect();
  const auto lane = openLane(*dying, "node-2", "process-b", kRunOut);
  give(lane, 2, 100);
  if (GetParam() == fixture::Engine::MariaDB) {
    EXPECT_THAT(exceptOf(count()), ElementsAre(lane.value)) << "a statement may still be under way";
  }
  dying.reset();
  for (int i = 0; i < 1'000 && !exceptOf(count()).empty(); ++i) std::this_thread::yield();
  EXPECT_THAT(exceptOf(count()), IsEmpty());
  EXPECT_EQ(sumOf(count()), Pair(2, 200));
}

TEST_P(FinishedLaneStore, a_lane_that_is_known_to_live_is_left_out_whatever_its_row_says) {
  const auto lane = openLane(*c, "node-1", "process-now", kLease);
  give(lane, 2, 100);
  setLaneState(*c, lane, LaneState::settled, LaneSeq{2});
  EXPECT_EQ(sumOf(count()), Pair(2, 200));
  EXPECT_EQ(sumOf(count({lane})), Pair(0, 0));
  EXPECT_EQ(count({lane}).lanes.value, 0);
}

TEST_P(FinishedLaneStore, only_the_open_session_counts_also_when_tips_of_the_last_one_came_late) {
  const auto lane = openLane(*c, "node-2", "process-b", kLease);
  give(lane, 3, 1, SessionId{4}, kNow - Duration{kUsPerHour});
  give(lane, 1, 100, kSession, kNow);
  give(lane, 1, 1, SessionId{4}, kNow + Duration{5 * kUsPerSecond});
  give(lane, 2, 10, kSession, kNow + Duration{10 * kUsPerSecond});
  setLaneState(*c, lane, LaneState::closed, LaneSeq{7});
  EXPECT_EQ(sumOf(count()), Pair(3, 120));
}

TEST_P(FinishedLaneStore, an_empty_database_has_nothing_finished) {
  const auto finished = count();
  EXPECT_EQ(finished.lanes.value, 0);
  EXPECT_EQ(finished.below.value, 0);
  EXPECT_EQ(sumOf(finished), Pair(0, 0));
}

}  // namespace
}  // namespace tipflow::audience::store
