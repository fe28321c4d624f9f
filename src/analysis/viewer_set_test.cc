#include "analysis/viewer_set.h"

#include <gmock/gmock.h>

#include "base/money.h"

namespace tipflow::analysis {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

ViewerSet setOf(std::initializer_list<std::int64_t> viewers) {
  ViewerSet set;
  for (const auto viewer : viewers) set.add(ViewerId{viewer});
  return set;
}

TEST(ViewerSet, counts_each_viewer_once_wherever_its_id_lies) {
  const auto set = setOf({1, 1, 63, 64, 32'767, 32'768, 300'000, (std::int64_t{1} << 53) - 1});
  EXPECT_EQ(set.count(), 7);
  EXPECT_TRUE(set.has(ViewerId{32'768}));
  EXPECT_FALSE(set.has(ViewerId{32'769}));
  EXPECT_FALSE(set.has(ViewerId{1'000'000}));
}

TEST(ViewerSet, is_the_same_after_it_was_kept_as_blocks) {
  const auto set = setOf({0, 7, 32'767, 32'768, 99'999});
  ViewerSet again;
  for (const auto& [block, bits] : set.blocks()) {
    EXPECT_EQ(bits.size(), ViewerSet::kBlockBytes);
    again.addBlock(block, bits);
  }
  EXPECT_EQ(again.count(), 5);
  EXPECT_EQ(again.countShared(set), 5);
}

TEST(ViewerSet, keeps_the_lowest_viewer_in_the_lowest_bit_of_the_first_byte) {
  const auto blocks = setOf({0, 9}).blocks();
  ASSERT_EQ(blocks.size(), 1U);
  EXPECT_EQ(blocks[0].second[0], 1);
  EXPECT_EQ(blocks[0].second[1], 2);
}

TEST(ViewerSet, refuses_what_is_no_block) {
  ViewerSet set;
  EXPECT_THROW(set.addBlock(0, "short"), BrokenInvariant);
  EXPECT_THROW(set.addBlock(-1, std::string(ViewerSet::kBlockBytes, '\0')), BrokenInvariant);
}

TEST(Repeats, count_who_came_on_more_than_one_day) {
  const std::vector<ViewerSet> days{setOf({1, 2, 3}), setOf({3}), setOf({3, 4, 40'000}),
                                    setOf({40'000})};
  const auto repeats = repeatsOf(days);
  EXPECT_EQ(repeats.viewers, 5);
  EXPECT_EQ(repeats.again, 2);
  EXPECT_EQ(repeatsOf({}).viewers, 0);
}

TEST(Cohorts, follow_each_period_through_the_later_ones) {
  const std::vector<ViewerSet> periods{setOf({1, 2, 3}), setOf({2}), setOf({1, 2, 9})};
  const auto cohorts = cohortsOf(periods);
  ASSERT_EQ(cohorts.size(), 3U);
  EXPECT_EQ(cohorts[0].viewers, 3);
  EXPECT_THAT(cohorts[0].returned, ElementsAre(1, 2));
  EXPECT_THAT(cohorts[1].returned, ElementsAre(1));
  EXPECT_THAT(cohorts[2].returned, IsEmpty());
}

TEST(Retention, goes_by_days_up_to_a_month_and_by_weeks_beyond) {
  EXPECT_EQ(retentionStepDays(31), 1);
  EXPECT_EQ(retentionStepDays(32), 7);
}

}  // namespace
}  // namespace tipflow::analysis
