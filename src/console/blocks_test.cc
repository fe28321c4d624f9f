#include "console/blocks.h"

#include <gtest/gtest.h>

namespace tipflow::console {
namespace {

bool refused(const char* network, const char* asker) {
  const auto refusal = refuseBlock(Network::parse(network).value(), Address::parse(asker).value());
  if (refusal) {
    EXPECT_EQ(refusal->code, ErrorCode::would_block_yourself);
  }
  return refusal.has_value();
}

TEST(Blocks, never_hold_the_asker) {
  EXPECT_TRUE(refused("203.0.113.0/24", "203.0.113.9"));
  EXPECT_TRUE(refused("203.0.113.9", "203.0.113.9"));
  EXPECT_TRUE(refused("203.0.113.9", "::ffff:203.0.113.9"));
  EXPECT_TRUE(refused("2001:db8::/32", "2001:db8::1"));
  EXPECT_FALSE(refused("203.0.113.0/24", "198.51.100.1"));
}

TEST(Blocks, never_hold_this_machine_or_a_part_of_it) {
  for (const auto* network :
       {"127.0.0.0/8", "127.0.0.1", "127.1.2.0/24", "0.0.0.0/0", "::/0", "::1", "::/64"}) {
    EXPECT_TRUE(refused(network, "203.0.113.9")) << network;
  }
  EXPECT_FALSE(refused("126.0.0.0/8", "203.0.113.9"));
  EXPECT_FALSE(refused("2001:db8::/32", "203.0.113.9"));
}

}  // namespace
}  // namespace tipflow::console
