#include "platform/lock.h"

#include <gtest/gtest.h>

namespace tipflow {
namespace {

constexpr Duration kLife{10 * kUsPerSecond};

struct LocalLockTest : testing::Test {
  ManualClock clock{Time{1'770'000'000'000'000}};
  LocalLock lock{clock};
};

TEST_F(LocalLockTest, is_held_by_one_owner_at_a_time) {
  EXPECT_TRUE(lock.acquire("round", "a", kLife));
  EXPECT_FALSE(lock.acquire("round", "b", kLife));
  EXPECT_TRUE(lock.acquire("cube", "b", kLife));
}

TEST_F(LocalLockTest, is_renewed_by_its_owner_and_lost_to_time) {
  EXPECT_TRUE(lock.acquire("round", "a", kLife));
  clock.advance(kLife - Duration{1});
  EXPECT_TRUE(lock.acquire("round", "a", kLife));
  clock.advance(kLife - Duration{1});
  EXPECT_FALSE(lock.acquire("round", "b", kLife));
  clock.advance(Duration{1});
  EXPECT_TRUE(lock.acquire("round", "b", kLife));
  EXPECT_FALSE(lock.acquire("round", "a", kLife));
}

TEST_F(LocalLockTest, is_released_by_its_owner_alone) {
  EXPECT_TRUE(lock.acquire("round", "a", kLife));
  lock.release("round", "b");
  EXPECT_FALSE(lock.acquire("round", "b", kLife));
  lock.release("round", "a");
  EXPECT_TRUE(lock.acquire("round", "b", kLife));
  lock.release("never held", "a");
}

}  // namespace
}  // namespace tipflow
