#include "platform/rpc/peers.h"

#include <gtest/gtest.h>

#include <array>
#include <map>

namespace tipflow::rpc {
namespace {

constexpr Time kNoon{1'770'000'000 * kUsPerSecond};
constexpr Duration kSecond{kUsPerSecond};

class PeersTest : public testing::Test {
 protected:
  PeersTest() { peers.set(kThree); }

  std::map<std::string, int> chosen(int times) {
    std::map<std::string, int> counts;
    for (int i = 0; i < times; ++i) {
      if (const auto peer = peers.choose(now, random)) ++counts[*peer];
    }
    return counts;
  }
  void fail(const std::string& address, int times) {
    for (int i = 0; i < times; ++i) {
      peers.onStart(address);
      peers.onFailure(address, now);
    }
  }

  static inline const std::array<std::string, 3> kThree{"a:1", "b:1", "c:1"};
  Time now = kNoon;
  SeededRandom random{1};
  Peers peers{EjectionLimits{}};
};

TEST_F(PeersTest, spreads_calls_over_all_nodes) {
  for (const auto& [address, count] : chosen(3'000)) EXPECT_NEAR(count, 1'000, 150) << address;
}

TEST_F(PeersTest, prefers_the_node_with_fewer_calls_under_way) {
  for (int i = 0; i < 5; ++i) peers.onStart("a:1");
  EXPECT_LT(chosen(3'000)["a:1"], 600);  // only when both choices fall on it
}

TEST_F(PeersTest, leaves_a_failing_node_out_for_longer_each_time) {
  fail("a:1", 5);
  EXPECT_EQ(chosen(100).count("a:1"), 0U);
  now = now + kSecond;
  EXPECT_GT(chosen(100)["a:1"], 0);
  fail("a:1", 1);
  now = now + 2 * kSecond - Duration{1};
  EXPECT_EQ(chosen(100).count("a:1"), 0U);
  now = now + Duration{1};
  EXPECT_GT(chosen(100)["a:1"], 0);
}

TEST_F(PeersTest, forgives_a_node_that_answers_again) {
  fail("a:1", 4);
  peers.onStart("a:1");
  peers.onSuccess("a:1");
  fail("a:1", 4);
  EXPECT_GT(chosen(100)["a:1"], 0);
}

TEST_F(PeersTest, still_calls_when_every_node_failed) {
  for (const auto& address : kThree) fail(address, 5);
  EXPECT_EQ(chosen(300).size(), 3U);
}

TEST_F(PeersTest, tries_another_node_than_the_one_that_failed) {
  for (int i = 0; i < 100; ++i) EXPECT_NE(peers.choose(now, random, "a:1"), "a:1");
  peers.set(std::array<std::string, 1>{"a:1"});
  EXPECT_EQ(peers.choose(now, random, "a:1"), std::nullopt);
}

TEST_F(PeersTest, keeps_what_it_knows_when_the_list_changes) {
  fail("a:1", 5);
  peers.set(std::array<std::string, 2>{"a:1", "d:1"});
  const auto counts = chosen(100);
  EXPECT_EQ(counts.count("a:1"), 0U);
  EXPECT_EQ(counts.at("d:1"), 100);
  peers.onSuccess("b:1");  // an answer of a node that is gone
}

}  // namespace
}  // namespace tipflow::rpc
