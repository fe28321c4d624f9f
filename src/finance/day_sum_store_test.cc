// The day's sums on both databases.
#include "finance/day_sum.h"

#include <gtest/gtest.h>

#include "store/database.h"

namespace tipflow::finance::store {
namespace {

constexpr Time kMidnight{1'770'000'000'000'000 / kUsPerHour * kUsPerHour};

class DaySumStore : public ::testing::TestWithParam<fixture::Engine> {
 protected:
  void settle(std::int64_t anchor, Time hour, int rate, std::int64_t tips, std::int64_t amount) {
    c->exec(
        "INSERT INTO settlement_hour (anchor_id, hour, share_bp, tips, amount, anchor_units) "
        "VALUES (?, ?, ?, ?, ?, 0)",
        {anchor, hour, rate, tips, amount});
  }
  fixture::TestDatabase database{GetParam(), "db2"};
  std::unique_ptr<db::Connection> c = database.connect();
};
TIPFLOW_ON_BOTH(DaySumStore);

TEST_P(DaySumStore, is_nothing_where_nothing_was_settled) {
  const auto sum = settledSince(*c, kMidnight);
  EXPECT_EQ(sum.count, 0);
  EXPECT_EQ(sum.amount, Fen{0});
}

TEST_P(DaySumStore, adds_up_all_anchors_and_rates_from_the_hour_on) {
  settle(31, kMidnight - Duration{kUsPerHour}, 5'000, 100, 100'000);
  settle(31, kMidnight, 5'000, 2, 300);
  settle(31, kMidnight, 6'000, 1, 50);
  settle(32, kMidnight + Duration{5 * kUsPerHour}, 5'000, 4, 1'000);
  const auto sum = settledSince(*c, kMidnight);
  EXPECT_EQ(sum.count, 7);
  EXPECT_EQ(sum.amount, Fen{1'350});
}

}  // namespace
}  // namespace tipflow::finance::store
