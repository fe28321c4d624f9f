#include "platform/lock.h"

#include <gtest/gtest.h>

namespace tipflow {
namespace {

constexpr Duration kLife{10 * kUsPerSecond};

struct LocalLockTest : testing::Test {
  ManualClock clock{Time{1'770'000'000'000'000}};
  LocalLock local{clock};

  bool acquire(const std::string& name, const std::string& owner) {
    return drogon::sync_wait(local.acquire(name, owner, kLife));
  }
  void release(const std::string& name, const std::string& owner) {
    drogon::sync_wait(local.release(name, owner));
  }
};

TEST_F(LocalLockTest, is_held_by_one_owner_at_a_time) {
  EXPECT_TRUE(acquire("round", "a"));
  EXPECT_FALSE(acquire("round", "b"));
  EXPECT_TRUE(acquire("cube", "b"));
}

TEST_F(LocalLockTest, is_renewed_by_its_owner_and_lost_to_time) {
  EXPECT_TRUE(acquire("round", "a"));
  clock.advance(kLife - Duration{1});
  EXPECT_TRUE(acquire("round", "a"));
  clock.advance(kLife - Duration{1});
  EXPECT_FALSE(acquire("round", "b"));
  clock.advance(Duration{1});
  EXPECT_TRUE(acquire("round", "b"));
  EXPECT_FALSE(acquire("round", "a"));
}

TEST_F(LocalLockTest, is_released_by_its_owner_alone) {
  EXPECT_TRUE(acquire("round", "a"));
  release("round", "b");
  EXPECT_FALSE(acquire("round", "b"));
  release("round", "a");
  EXPECT_TRUE(acquire("round", "b"));
  EXPECT_NO_THROW(release("never held", "a"));
}

}  // namespace
}  // namespace tipflow
