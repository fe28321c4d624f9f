#include "edge/blocks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tipflow::edge {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(EdgeBlocks, takes_each_network_once_and_in_its_usual_form) {
  const auto networks =
      blockedNetworks(R"({"networks":["2001:DB8:0::/32","10.0.0.0/8","10.0.0.0/8"]})");
  ASSERT_TRUE(networks);
  EXPECT_THAT(*networks, ElementsAre("10.0.0.0/8", "2001:db8::/32"));
}

TEST(EdgeBlocks, takes_a_list_of_none_as_one) {
  const auto networks = blockedNetworks(R"({"networks":[]})");
  ASSERT_TRUE(networks);
  EXPECT_THAT(*networks, IsEmpty());
}

TEST(EdgeBlocks, takes_nothing_from_an_answer_that_is_not_such_a_list) {
  for (const auto* body :
       {"", "[]", "{}", R"({"networks":{}})", R"({"networks":["10.0.0.0/8",7]})",
        R"({"networks":["10.0.0.1/8"]})", R"({"networks":["1.2.3.4 1; } server {"]})"}) {
    EXPECT_FALSE(blockedNetworks(body)) << body;
  }
}

}  // namespace
}  // namespace tipflow::edge
