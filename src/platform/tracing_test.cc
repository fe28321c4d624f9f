#include "platform/tracing.h"

#include <gtest/gtest.h>

namespace tipflow {
namespace {

constexpr Time kNoon{1'770'000'000 * kUsPerSecond};

class TracingTest : public testing::Test {
 protected:
  int keptOf(int requests, Time now, std::optional<TraceContext> parent = std::nullopt) {
    int kept = 0;
    for (int i = 0; i < requests; ++i) kept += tracing.begin(parent, now).sampled ? 1 : 0;
    return kept;
  }

  SeededRandom random{1};
  Tracing tracing{{3, Duration{kUsPerSecond}}, random};
};

TEST_F(TracingTest, keeps_the_first_traces_of_each_second) {
  EXPECT_EQ(keptOf(10, kNoon), 3);
  EXPECT_EQ(keptOf(10, kNoon + Duration{kUsPerSecond - 1}), 0);
  EXPECT_EQ(keptOf(10, kNoon + Duration{kUsPerSecond}), 3);
}

TEST_F(TracingTest, lets_nobody_outside_have_more_kept) {
  const TraceContext parent{{1, 2}, 3, true};
  EXPECT_EQ(keptOf(10, kNoon, parent), 3);
}

TEST_F(TracingTest, goes_on_with_the_trace_it_was_given) {
  const TraceContext parent{{1, 2}, 3, true};
  const auto own = tracing.begin(parent, kNoon);
  EXPECT_EQ(own.trace, parent.trace);
  EXPECT_NE(own.span, parent.span);
  EXPECT_FALSE(tracing.begin(TraceContext{{1, 2}, 3, false}, kNoon).sampled);
}

TEST_F(TracingTest, keeps_what_failed_and_what_was_slow) {
  const TraceContext unsampled{{1, 2}, 3, false};
  EXPECT_FALSE(tracing.keeps(unsampled, false, Duration{kUsPerSecond - 1}));
  EXPECT_TRUE(tracing.keeps(unsampled, true, Duration{1}));
  EXPECT_TRUE(tracing.keeps(unsampled, false, Duration{kUsPerSecond}));
}

}  // namespace
}  // namespace tipflow
