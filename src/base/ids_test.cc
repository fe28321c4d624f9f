#include "base/ids.h"

#include <gtest/gtest.h>

#include <type_traits>
#include <unordered_set>

namespace tipflow {
namespace {

TEST(Ids, a_tip_id_gives_back_the_lane_and_the_number_it_was_made_of) {
  for (const std::int64_t lane : {std::int64_t{1}, std::int64_t{2}, kLaneEnd - 1}) {
    for (const std::int64_t seq : {std::int64_t{1}, std::int64_t{2}, kLaneSeqEnd - 1}) {
      const TipId id = tipIdOf(LaneId{lane}, LaneSeq{seq});
      EXPECT_EQ(laneOf(id), LaneId{lane});
      EXPECT_EQ(seqOf(id), LaneSeq{seq});
      EXPECT_EQ(id.value, lane * kLaneSeqEnd + seq);
    }
  }
}

TEST(Ids, the_largest_tip_id_is_below_2_to_the_53rd) {
  EXPECT_LT(tipIdOf(LaneId{kLaneEnd - 1}, LaneSeq{kLaneSeqEnd - 1}).value, std::int64_t{1} << 53);
  EXPECT_EQ(kLaneEnd * kLaneSeqEnd, std::int64_t{1} << 53);
}

TEST(Ids, order_of_tip_ids_in_a_lane_is_their_number_order_and_lanes_do_not_overlap) {
  EXPECT_LT(tipIdOf(LaneId{7}, LaneSeq{1}), tipIdOf(LaneId{7}, LaneSeq{2}));
  EXPECT_LT(tipIdOf(LaneId{7}, LaneSeq{kLaneSeqEnd - 1}), tipIdOf(LaneId{8}, LaneSeq{1}));
}

TEST(Ids, of_different_things_cannot_stand_for_each_other) {
  static_assert(!std::is_convertible_v<AnchorId, ViewerId>);
  static_assert(!std::is_convertible_v<std::int64_t, AnchorId>);
  static_assert(!std::is_invocable_v<decltype(&tipIdOf), LaneSeq, LaneId>);
  const std::unordered_set<ViewerId> viewers{ViewerId{1}, ViewerId{2}, ViewerId{1}};
  EXPECT_EQ(viewers.size(), 2U);
}

}  // namespace
}  // namespace tipflow
