#include "platform/registry.h"

#include <gtest/gtest.h>

namespace tipflow {
namespace {

TEST(LocalRegistry, knows_who_serves_a_role_until_the_node_leaves) {
  LocalRegistry registry;
  registry.add({"node-1", "audience", "10.0.0.1", 8080, "1.0.0"});
  registry.add({"node-1", "finance", "10.0.0.1", 8080, "1.0.0"});
  registry.add({"node-2", "audience", "10.0.0.2", 8081, "1.0.0"});
  EXPECT_EQ(registry.instances("audience").size(), 2U);
  EXPECT_EQ(registry.instances("room").size(), 0U);

  registry.removeNode("node-1");
  const auto left = registry.instances("audience");
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].node, "node-2");
  EXPECT_EQ(left[0].address, "10.0.0.2");
  EXPECT_EQ(left[0].port, 8081);
  EXPECT_TRUE(registry.instances("finance").empty());
}

}  // namespace
}  // namespace tipflow
