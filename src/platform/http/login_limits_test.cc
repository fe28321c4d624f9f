#include "platform/http/login_limits.h"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

#include "platform/http/call.h"

namespace tipflow::http {
namespace {

constexpr Duration kSecond{kUsPerSecond};

struct LoginLimitsTest : testing::Test {
  ManualClock clock{Time{1'770'000'000'000'000}};
  LoginLimits limits{LoginLimit{3, 6, 8}, clock};

  static Address at(const char* text) { return Address::parse(text).value(); }
  /// Seconds to wait, or nothing when the attempt may be made; it then fails.
  std::optional<int> fail(const char* name, const char* address) {
    try {
      limits.begin("viewer", name, at(address));
      return std::nullopt;
    } catch (const Refused& refused) {
      EXPECT_EQ(refused.rejection().code, ErrorCode::too_many_attempts);
      return refused.rejection().retryAfterSeconds;
    }
  }
};

TEST_F(LoginLimitsTest, bear_so_many_failures_of_one_name_from_one_address) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(fail("mei", "10.0.0.1"), std::nullopt);
  EXPECT_EQ(fail("mei", "10.0.0.1"), 300);
  EXPECT_EQ(fail("mei", "10.0.0.2"), std::nullopt) << "from elsewhere she can";
  EXPECT_EQ(fail("lin", "10.0.0.1"), std::nullopt) << "another name may be tried";
}

TEST_F(LoginLimitsTest, say_when_the_next_attempt_may_be_made) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(fail("mei", "10.0.0.1"), std::nullopt);
    clock.advance(kSecond * 10);
  }
  EXPECT_EQ(fail("mei", "10.0.0.1"), 270);
  clock.advance(kSecond * 269);
  EXPECT_EQ(fail("mei", "10.0.0.1"), 1);
  clock.advance(kSecond);
  EXPECT_EQ(fail("mei", "10.0.0.1"), std::nullopt);
  EXPECT_EQ(fail("mei", "10.0.0.1"), 10);
}

TEST_F(LoginLimitsTest, bear_so_many_failures_of_one_name_from_anywhere) {
  const std::vector<std::string> addresses{"10.0.0.1", "10.0.0.2", "10.0.0.3",
                                           "10.0.0.4", "10.0.0.5", "10.0.0.6"};
  for (const auto& address : addresses) EXPECT_EQ(fail("mei", address.c_str()), std::nullopt);
  EXPECT_EQ(fail("mei", "10.0.0.7"), 300);
}

TEST_F(LoginLimitsTest, bear_so_many_failures_from_one_address) {
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(fail(("name" + std::to_string(i)).c_str(), "10.0.0.1"), std::nullopt);
  }
  EXPECT_EQ(fail("another", "10.0.0.1"), 300);
  EXPECT_EQ(fail("another", "10.0.0.2"), std::nullopt);
}

TEST_F(LoginLimitsTest, count_an_ipv6_network_of_one_customer_as_one_address) {
  for (int i = 0; i < 8; ++i) {
    const auto address = "2001:db8::" + std::to_string(i);
    EXPECT_EQ(fail(("name" + std::to_string(i)).c_str(), address.c_str()), std::nullopt);
  }
  EXPECT_EQ(fail("another", "2001:db8::ffff"), 300);
  EXPECT_EQ(fail("another", "2001:db8:0:1::1"), std::nullopt);
}

TEST_F(LoginLimitsTest, a_success_gives_back_its_own_attempt_and_no_other) {
  EXPECT_EQ(fail("mei", "10.0.0.1"), std::nullopt);
  EXPECT_EQ(fail("mei", "10.0.0.1"), std::nullopt);
  for (int i = 0; i < 20; ++i) limits.begin("viewer", "mei", at("10.0.0.1")).giveBack();
  EXPECT_EQ(fail("mei", "10.0.0.1"), std::nullopt);
  EXPECT_EQ(fail("mei", "10.0.0.1"), 300);
}

TEST_F(LoginLimitsTest, what_is_refused_does_not_count) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(fail("mei", "10.0.0.1"), std::nullopt);
  clock.advance(kSecond * 200);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(fail("mei", "10.0.0.1"), 100);
  clock.advance(kSecond * 100);
  EXPECT_EQ(fail("mei", "10.0.0.1"), std::nullopt);
}

TEST_F(LoginLimitsTest, many_at_once_are_no_way_around_them) {
  std::atomic<int> passed{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 64; ++i) {
      threads.emplace_back([&] {
        if (!fail("mei", "10.0.0.1")) ++passed;
      });
    }
  }
  EXPECT_EQ(passed, 3);
}

TEST_F(LoginLimitsTest, forget_what_is_older_than_the_window) {
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(fail(("name" + std::to_string(i)).c_str(), ("10.0.1." + std::to_string(i)).c_str()),
              std::nullopt);
  }
  EXPECT_EQ(limits.counted(), 300U);
  clock.advance(kSecond * 301);
  EXPECT_EQ(fail("mei", "10.0.0.1"), std::nullopt);
  EXPECT_EQ(limits.counted(), 3U);
}

}  // namespace
}  // namespace tipflow::http
