#include "platform/http/gate.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace tipflow::http {
namespace {

Address at(std::string_view text) { return Address::parse(text).value(); }

std::string clientOf(const char* peer, std::string_view header, const char* trusted) {
  return clientBehind(at(peer), header, NetworkSet::parse(trusted)).text();
}

TEST(ClientAddress, is_the_peers_whatever_the_header_says_when_no_proxy_is_trusted) {
  EXPECT_EQ(clientOf("203.0.113.9", "", ""), "203.0.113.9");
  EXPECT_EQ(clientOf("203.0.113.9", "1.1.1.1", ""), "203.0.113.9");
  EXPECT_EQ(clientOf("203.0.113.9", "127.0.0.1", "10.0.0.0/8"), "203.0.113.9");
}

TEST(ClientAddress, is_the_last_entry_that_no_trusted_proxy_added_for_another) {
  EXPECT_EQ(clientOf("10.0.0.1", "203.0.113.9", "10.0.0.0/8"), "203.0.113.9");
  EXPECT_EQ(clientOf("10.0.0.1", "1.1.1.1, 203.0.113.9", "10.0.0.0/8"), "203.0.113.9")
      << "the first entry is whatever the client wrote";
  EXPECT_EQ(clientOf("10.0.0.1", "127.0.0.1,203.0.113.9,10.0.0.2 , 10.0.0.3", "10.0.0.0/8"),
            "203.0.113.9");
  EXPECT_EQ(clientOf("10.0.0.1", "10.0.0.2,10.0.0.3", "10.0.0.0/8"), "10.0.0.2");
  EXPECT_EQ(clientOf("10.0.0.1", "", "10.0.0.0/8"), "10.0.0.1");
}

TEST(ClientAddress, is_read_in_every_form_and_nothing_is_believed_behind_what_is_none) {
  EXPECT_EQ(clientOf("::1", "203.0.113.9:4711", "::1"), "203.0.113.9");
  EXPECT_EQ(clientOf("::1", "2001:db8::7", "::1"), "2001:db8::7");
  EXPECT_EQ(clientOf("::1", "[2001:db8::7]:4711", "::1"), "2001:db8::7");
  EXPECT_EQ(clientOf("::1", "[2001:db8::7]", "::1"), "2001:db8::7");
  EXPECT_EQ(clientOf("::ffff:10.0.0.1", "::ffff:203.0.113.9", "10.0.0.0/8"), "203.0.113.9");
  for (const auto* odd : {"203.0.113.9, unknown", "203.0.113.9,", "203.0.113.9, [::1", "_hidden",
                          "203.0.113.9, [2001:db8::7]x", "203.0.113.9,1.2.3.4.5"}) {
    EXPECT_EQ(clientOf("10.0.0.1", odd, "10.0.0.0/8"), "10.0.0.1") << odd;
  }
}

struct GateTest : testing::Test {
  ManualClock clock{Time{1'770'000'000'000'000}};
  Metrics metrics;
  Gate gate{NetworkSet{}, {10, 5, 10, 3, NetworkSet::parse("127.0.0.0/8,::1")}, clock, metrics};

  static Principal viewer(std::int64_t id) {
    Principal who;
    who.kind = PrincipalKind::viewer;
    who.id = id;
    return who;
  }
  int taken(const char* address, int tries) {
    int count = 0;
    for (int i = 0; i < tries; ++i) count += gate.refuseAddress(at(address)) ? 0 : 1;
    return count;
  }
};

TEST_F(GateTest, refuses_exactly_the_networks_that_are_blocked_now) {
  EXPECT_FALSE(gate.refuseBlocked(at("203.0.113.9")));
  gate.block(std::make_shared<const NetworkSet>(NetworkSet::parse("203.0.113.0/24,2001:db8::/32")));
  EXPECT_EQ(gate.refuseBlocked(at("203.0.113.9")).value().code, ErrorCode::address_blocked);
  EXPECT_TRUE(gate.refuseBlocked(at("::ffff:203.0.113.9")));
  EXPECT_TRUE(gate.refuseBlocked(at("2001:db8::1")));
  EXPECT_FALSE(gate.refuseBlocked(at("203.0.114.9")));
  gate.block(std::make_shared<const NetworkSet>());
  EXPECT_FALSE(gate.refuseBlocked(at("203.0.113.9")));
}

TEST_F(GateTest, a_block_holds_for_this_gate_alone) {
  Metrics otherMetrics;
  Gate other{NetworkSet{}, {}, clock, otherMetrics};
  gate.block(std::make_shared<const NetworkSet>(NetworkSet::parse("203.0.113.0/24")));
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(gate.refuseBlocked(at("203.0.113.9")));
    EXPECT_FALSE(other.refuseBlocked(at("203.0.113.9")));
  }
}

TEST_F(GateTest, limits_an_address_and_says_when_to_come_again) {
  EXPECT_EQ(taken("203.0.113.9", 20), 5);
  const auto refusal = gate.refuseAddress(at("203.0.113.9")).value();
  EXPECT_EQ(refusal.code, ErrorCode::too_many_requests);
  EXPECT_EQ(refusal.retryAfterSeconds, 1);
  EXPECT_EQ(taken("203.0.113.10", 20), 5);
  EXPECT_EQ(taken("127.0.0.1", 1'000), 1'000);
  EXPECT_EQ(taken("2001:db8::1", 3) + taken("2001:db8::2", 20), 5) << "one /64 is one customer";
}

TEST_F(GateTest, limits_a_viewer_wherever_the_requests_come_from_but_no_operator) {
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(gate.refuseViewer(viewer(7), at("203.0.113.9")));
  EXPECT_EQ(gate.refuseViewer(viewer(7), at("198.51.100.1")).value().code,
            ErrorCode::too_many_requests);
  EXPECT_FALSE(gate.refuseViewer(viewer(8), at("203.0.113.9")));
  EXPECT_FALSE(gate.refuseViewer(viewer(7), at("127.0.0.1")));
  Principal anchor = viewer(7);
  anchor.kind = PrincipalKind::anchor;
  EXPECT_FALSE(gate.refuseViewer(anchor, at("203.0.113.9"))) << "another account of this number";
  Principal admin = viewer(7);
  admin.kind = PrincipalKind::operator_;
  for (int i = 0; i < 50; ++i) EXPECT_FALSE(gate.refuseViewer(admin, at("203.0.113.9")));
}

TEST_F(GateTest, counts_what_it_refused_and_why) {
  gate.block(std::make_shared<const NetworkSet>(NetworkSet::parse("203.0.113.0/24")));
  (void)gate.refuseBlocked(at("203.0.113.9"));
  (void)taken("198.51.100.1", 7);
  for (int i = 0; i < 4; ++i) (void)gate.refuseViewer(viewer(7), at("198.51.100.1"));
  const auto text = metrics.text();
  EXPECT_NE(text.find("tipflow_http_refused_total{reason=\"blocked\"} 1"), std::string::npos);
  EXPECT_NE(text.find("tipflow_http_refused_total{reason=\"address_limit\"} 2"), std::string::npos);
  EXPECT_NE(text.find("tipflow_http_refused_total{reason=\"viewer_limit\"} 1"), std::string::npos);
}

TEST_F(GateTest, every_thread_sees_a_new_set_at_once) {
  const auto all = std::make_shared<const NetworkSet>(NetworkSet::parse("0.0.0.0/0"));
  const auto none = std::make_shared<const NetworkSet>();
  std::atomic<bool> stop{false};
  std::atomic<int> looks{0};
  std::jthread reader([&] {
    while (!stop) {
      (void)gate.refuseBlocked(at("203.0.113.9"));
      ++looks;
    }
  });
  for (int i = 0; i < 2'000 || looks < 1'000; ++i) gate.block(i % 2 == 0 ? all : none);
  stop = true;
  gate.block(all);
  std::jthread([&] { EXPECT_TRUE(gate.refuseBlocked(at("203.0.113.9"))); }).join();
}

}  // namespace
}  // namespace tipflow::http
