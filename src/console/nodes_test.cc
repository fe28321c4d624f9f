// What a node's readiness says of it.
#include "console/nodes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tipflow::console {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

ShownNode nodeWith(int status, std::string_view body) {
  ShownNode node;
  readReadiness(status, body, node);
  return node;
}

TEST(Nodes, are_silent_when_nothing_was_answered) {
  EXPECT_EQ(nodeWith(0, "").state, NodeState::silent);
}

TEST(Nodes, are_ready_when_they_say_so) {
  const auto node = nodeWith(
      200, R"({"status":"ready","checks":[{"name":"DB1","status":"up","detail":"mysql://a"}]})");
  EXPECT_EQ(node.state, NodeState::ready);
  ASSERT_THAT(node.checks, SizeIs(1));
  EXPECT_EQ(node.checks[0].name, "DB1");
  EXPECT_EQ(node.checks[0].status, "up");
  EXPECT_EQ(node.checks[0].detail, "mysql://a");
}

TEST(Nodes, are_not_ready_when_something_is_away) {
  const auto node = nodeWith(503, R"({"status":"not_ready","checks":[
    {"name":"DB1","status":"down","detail":"does not answer"}]})");
  EXPECT_EQ(node.state, NodeState::notReady);
}

TEST(Nodes, are_leaving_when_they_drain) {
  const auto node = nodeWith(503, R"({"status":"not_ready","checks":[
    {"name":"node","status":"down","detail":"is leaving"},{"name":"DB1","status":"up","detail":""}]})");
  EXPECT_EQ(node.state, NodeState::leaving);
}

TEST(Nodes, that_answer_nonsense_are_judged_by_the_status_alone) {
  for (const char* body : {"", "[]", "{}", R"({"checks":7})", R"({"checks":[7]})", "\xff"}) {
    const auto node = nodeWith(503, body);
    EXPECT_EQ(node.state, NodeState::notReady) << body;
    EXPECT_THAT(node.checks, IsEmpty()) << body;
  }
}

}  // namespace
}  // namespace tipflow::console
