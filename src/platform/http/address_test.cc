#include "platform/http/address.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

namespace tipflow {
namespace {

Address at(std::string_view text) { return Address::parse(text).value(); }
Network net(std::string_view text) { return Network::parse(text).value(); }

TEST(Address, is_one_value_however_it_was_written) {
  EXPECT_EQ(at("10.1.2.3"), at("::ffff:10.1.2.3"));
  EXPECT_EQ(at("10.1.2.3"), at("::FFFF:0a01:0203"));
  EXPECT_EQ(at("10.1.2.3"), Address::ofIpv4(0x0A010203));
  EXPECT_EQ(at("2001:db8::1"), at("2001:0DB8:0:0:0:0:0:1"));
  EXPECT_EQ(at("::ffff:10.1.2.3").text(), "10.1.2.3");
  EXPECT_EQ(at("2001:0DB8:0:0:0:0:0:1").text(), "2001:db8::1");
  EXPECT_NE(at("::10.1.2.3"), at("10.1.2.3")) << "an old form that is another address";
}

TEST(Address, takes_nothing_else) {
  for (const auto* text : {"", " ", "10.1.2", "10.1.2.256", "010.1.2.3", "10.1.2.3 ", "10.1.2.3:80",
                           "[::1]", "fe80::1%eth0", "::1::", "localhost", "0x0a.1.2.3", "167838211",
                           "2001:db8:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:1"}) {
    EXPECT_EQ(Address::parse(text), std::nullopt) << text;
  }
  EXPECT_EQ(Address::parse(std::string_view("10.1.2.3\0x", 10)), std::nullopt);
}

TEST(Address, belongs_to_the_site_of_one_customer) {
  EXPECT_EQ(at("10.1.2.3").site(), at("10.1.2.3"));
  EXPECT_EQ(at("2001:db8:1:2:3:4:5:6").site(), at("2001:db8:1:2::"));
}

TEST(Network, holds_the_addresses_of_its_prefix) {
  EXPECT_TRUE(net("10.0.0.0/8").contains(at("10.255.255.255")));
  EXPECT_FALSE(net("10.0.0.0/8").contains(at("11.0.0.0")));
  EXPECT_TRUE(net("10.0.0.0/8").contains(at("::ffff:10.1.1.1")));
  EXPECT_TRUE(net("2001:db8::/33").contains(at("2001:db8:7fff::")));
  EXPECT_FALSE(net("2001:db8::/33").contains(at("2001:db8:8000::")));
  EXPECT_TRUE(net("2001:db8::/64").contains(at("2001:db8::ffff:ffff:ffff:ffff")));
  EXPECT_FALSE(net("2001:db8::/65").contains(at("2001:db8::8000:0:0:0")));
  EXPECT_TRUE(net("0.0.0.0/0").contains(at("255.255.255.255")));
  EXPECT_FALSE(net("0.0.0.0/0").contains(at("2001:db8::1")));
  EXPECT_TRUE(net("::/0").contains(at("1.2.3.4"))) << "IPv4 is within all of IPv6";
  EXPECT_EQ(net("1.2.3.4"), net("1.2.3.4/32"));
  EXPECT_EQ(net("::ffff:10.0.0.0/104"), net("10.0.0.0/8"));
}

TEST(Network, is_written_as_people_write_it) {
  EXPECT_EQ(net("10.0.0.0/8").text(), "10.0.0.0/8");
  EXPECT_EQ(net("::ffff:10.0.0.0/104").text(), "10.0.0.0/8");
  EXPECT_EQ(net("1.2.3.4").text(), "1.2.3.4/32");
  EXPECT_EQ(net("2001:DB8::/32").text(), "2001:db8::/32");
  EXPECT_EQ(net("::/0").text(), "::/0");
}

TEST(Network, takes_no_prefix_with_bits_behind_it_and_none_that_is_too_long) {
  for (const auto* text :
       {"10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/8x", "10.0.0.0/ 8",
        "2001:db8::1/64", "2001:db8::/129", "/8", "10.0.0.0/8/8", "*", "10.0.0.*"}) {
    EXPECT_EQ(Network::parse(text), std::nullopt) << text;
  }
}

TEST(Network, overlaps_what_shares_an_address_with_it) {
  EXPECT_TRUE(net("127.0.0.0/8").overlaps(net("127.0.0.5")));
  EXPECT_TRUE(net("127.0.0.5").overlaps(net("127.0.0.0/8")));
  EXPECT_TRUE(net("::/0").overlaps(net("127.0.0.0/8")));
  EXPECT_FALSE(net("126.0.0.0/8").overlaps(net("127.0.0.0/8")));
}

TEST(NetworkSet, holds_what_any_of_its_networks_holds) {
  const auto set = NetworkSet::parse("10.0.0.0/8, 192.168.1.0/24,10.1.0.0/16,2001:db8::/32");
  for (const auto* inside :
       {"10.0.0.0", "10.1.2.3", "10.255.255.255", "192.168.1.7", "2001:db8::1"}) {
    EXPECT_TRUE(set.contains(at(inside))) << inside;
  }
  for (const auto* outside : {"9.255.255.255", "11.0.0.0", "192.168.0.255", "192.168.2.0", "::1",
                              "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::"}) {
    EXPECT_FALSE(set.contains(at(outside))) << outside;
  }
  EXPECT_FALSE(NetworkSet{}.contains(at("10.0.0.1")));
  EXPECT_TRUE(NetworkSet::parse("").empty());
}

TEST(NetworkSet, agrees_with_its_networks_one_by_one) {
  std::vector<Network> networks;
  for (int i = 0; i < 200; ++i) {
    const auto bits = 20 + i % 13;
    const auto base = (static_cast<std::uint32_t>(i) * 2'654'435'761U) & ~((1U << (32 - bits)) - 1);
    networks.push_back(net(Address::ofIpv4(base).text() + "/" + std::to_string(bits)));
  }
  const NetworkSet set(networks);
  const auto anyHolds = [&](const Address& address) {
    return std::any_of(networks.begin(), networks.end(),
                       [&](const Network& network) { return network.contains(address); });
  };
  for (const auto& network : networks) {
    for (const auto& edge : {network.first, network.last}) {
      for (const int step : {-1, 0, 1}) {
        const Address near{edge.high, edge.low + static_cast<std::uint64_t>(step)};
        EXPECT_EQ(set.contains(near), anyHolds(near)) << near.text();
      }
    }
  }
}

TEST(NetworkSet, names_the_entry_that_is_no_network) {
  try {
    (void)NetworkSet::parse("10.0.0.0/8, 10.0.0.1/8");
    FAIL() << "it was taken";
  } catch (const std::invalid_argument& wrong) {
    EXPECT_NE(std::string(wrong.what()).find("'10.0.0.1/8'"), std::string::npos) << wrong.what();
  }
}

}  // namespace
}  // namespace tipflow
