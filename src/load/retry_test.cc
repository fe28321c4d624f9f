#include "load/retry.h"

#include <gtest/gtest.h>

namespace tipflow::load {
namespace {

TEST(Retry, waits_as_long_as_the_server_asks_within_bounds) {
  EXPECT_EQ(waitUs({.status = 503}), 1'000'000);
  EXPECT_EQ(waitUs({.status = 503, .retryAfterSeconds = 2}), 2'000'000);
  EXPECT_EQ(waitUs({.status = 503, .retryAfterSeconds = 0}), 100'000);
  EXPECT_EQ(waitUs({.status = 429, .retryAfterSeconds = 3'600}), 5'000'000);
}

TEST(Retry, backs_off_to_two_seconds) {
  EXPECT_EQ(backOffUs(1), 50'000);
  EXPECT_EQ(backOffUs(2), 100'000);
  EXPECT_EQ(backOffUs(6), 1'600'000);
  EXPECT_EQ(backOffUs(7), 2'000'000);
  EXPECT_EQ(backOffUs(1'000), 2'000'000);
}

TEST(Retry, gives_what_is_due_in_the_order_of_its_time) {
  RetryQueue queue;
  EXPECT_EQ(queue.dueUs(), kNever);
  queue.add(30, 3);
  queue.add(10, 1);
  queue.add(20, 2);
  EXPECT_EQ(queue.take(9), std::nullopt);
  EXPECT_EQ(queue.take(20), 1U);
  EXPECT_EQ(queue.take(20), 2U);
  EXPECT_EQ(queue.take(20), std::nullopt);
  EXPECT_EQ(queue.dueUs(), 30);
  EXPECT_EQ(queue.take(kNever), 3U);
  EXPECT_EQ(queue.take(kNever), std::nullopt);
}

}  // namespace
}  // namespace tipflow::load
