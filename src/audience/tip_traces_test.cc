#include "audience/tip_traces.h"

#include <gtest/gtest.h>

namespace tipflow::audience {
namespace {

constexpr Time kNoon{1'770'000'000 * kUsPerSecond};
constexpr LaneId kLane{7};

class TipTracesTest : public testing::Test {
 protected:
  static NumberedTip tipOf(std::int64_t seq) {
    NumberedTip tip;
    tip.id = tipIdOf(kLane, LaneSeq{seq});
    tip.tip.traceId = {1, static_cast<std::uint64_t>(seq)};
    return tip;
  }
  void watch(std::int64_t seq) { traces.watch(tipOf(seq).tip.traceId, request); }
  std::vector<finance::TracedTip> pushed(std::int64_t from, std::int64_t to) {
    return traces.onPush(kLane, LaneSeq{from}, LaneSeq{to}, kNoon);
  }

  const TraceContext request{{5, 6}, 9, true};
  ManualClock clock{kNoon};
  SeededRandom random{1};
  TipTraces traces{clock, random, 10};
};

TEST_F(TipTracesTest, follows_a_tip_until_it_is_settled) {
  watch(2);
  traces.onCommitted(kLane, {tipOf(1), tipOf(2), tipOf(3)}, kNoon);
  const auto traced = pushed(1, 3);
  ASSERT_EQ(traced.size(), 1U);
  EXPECT_EQ(traced.front().id, tipOf(2).id);
  EXPECT_EQ(traced.front().push.trace, request.trace);
  EXPECT_NE(traced.front().push.span, request.span);
  traces.onPushed(kLane, LaneSeq{1}, LaneSeq{3}, true, kNoon);
  EXPECT_TRUE(pushed(1, 3).empty());
}

TEST_F(TipTracesTest, follows_it_through_a_push_that_failed) {
  watch(2);
  traces.onCommitted(kLane, {tipOf(2)}, kNoon);
  const auto first = pushed(2, 2);
  traces.onPushed(kLane, LaneSeq{2}, LaneSeq{2}, false, kNoon);
  const auto second = pushed(2, 2);
  ASSERT_EQ(second.size(), 1U);
  EXPECT_NE(first.front().push.span, second.front().push.span);
}

TEST_F(TipTracesTest, tells_only_of_the_batch_that_is_pushed) {
  for (std::int64_t seq = 1; seq <= 3; ++seq) watch(seq);
  traces.onCommitted(kLane, {tipOf(1), tipOf(2), tipOf(3)}, kNoon);
  EXPECT_EQ(pushed(2, 2).size(), 1U);
  EXPECT_TRUE(traces.onPush(LaneId{8}, LaneSeq{1}, LaneSeq{3}, kNoon).empty());
}

TEST_F(TipTracesTest, forgets_a_tip_that_was_not_written) {
  watch(1);
  traces.forget(tipOf(1).tip.traceId);
  traces.onCommitted(kLane, {tipOf(1)}, kNoon);
  EXPECT_TRUE(pushed(1, 1).empty());
}

TEST_F(TipTracesTest, stays_small_when_nobody_settles) {
  for (std::int64_t seq = 1; seq <= 1'000; ++seq) {
    watch(seq);
    traces.onCommitted(kLane, {tipOf(seq)}, kNoon);
  }
  EXPECT_LE(pushed(1, 1'000).size(), 10U);
}

}  // namespace
}  // namespace tipflow::audience
