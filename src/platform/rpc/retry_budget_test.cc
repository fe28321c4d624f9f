#include "platform/rpc/retry_budget.h"

#include <gtest/gtest.h>

namespace tipflow::rpc {
namespace {

TEST(RetryBudget, allows_a_fifth_of_the_calls_to_be_made_again) {
  RetryBudget budget{RetryLimits{}};
  int retried = 0;
  for (int i = 0; i < 1'000; ++i) {
    budget.onCall();
    retried += budget.take() ? 1 : 0;
  }
  EXPECT_GE(retried, 200);
  EXPECT_LE(retried, 203);
}

TEST(RetryBudget, lets_a_quiet_caller_retry_a_few) {
  RetryBudget budget{RetryLimits{}};
  EXPECT_TRUE(budget.take());
  EXPECT_TRUE(budget.take());
  EXPECT_TRUE(budget.take());
  EXPECT_FALSE(budget.take());
}

TEST(RetryBudget, does_not_save_up_a_storm) {
  RetryBudget budget{RetryLimits{}};
  for (int i = 0; i < 100'000; ++i) budget.onCall();
  int retried = 0;
  while (budget.take()) ++retried;
  EXPECT_EQ(retried, 100);
}

}  // namespace
}  // namespace tipflow::rpc
