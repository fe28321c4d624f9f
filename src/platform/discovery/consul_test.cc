#include "platform/discovery/consul.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace tipflow {
namespace {

const Instance kInstance{"node-1", "audience", "10.0.0.7", 8080, "0.2.0"};

/// What Consul answers about a service that was registered so.
std::string answerWith(const std::string& registration) {
  auto service = boost::json::parse(registration).as_object();
  const boost::json::value name = service.at("Name");
  service["Service"] = name;
  return boost::json::serialize(
      boost::json::array{boost::json::object{{"Node", {}}, {"Service", service}, {"Checks", {}}}});
}

TEST(Consul, tells_of_a_node_what_was_registered) {
  const auto found = consulInstances(answerWith(consulRegistration(kInstance, true)), "audience");
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(found->front().node, "node-1");
  EXPECT_EQ(found->front().role, "audience");
  EXPECT_EQ(found->front().address, "10.0.0.7");
  EXPECT_EQ(found->front().port, 8080);
  EXPECT_EQ(found->front().version, "0.2.0");
}

TEST(Consul, is_told_to_look_at_readyz_and_to_forget_nodes_that_are_gone) {
  const auto sent = boost::json::parse(consulRegistration(kInstance, true));
  EXPECT_EQ(sent.at("Name"), "tipflow-audience");
  EXPECT_EQ(sent.at("ID"), "node-1/audience");
  const auto& check = sent.at("Check");
  EXPECT_EQ(check.at("HTTP"), "http://10.0.0.7:8080/readyz");
  EXPECT_TRUE(check.as_object().contains("DeregisterCriticalServiceAfter"));
  EXPECT_EQ(check.at("FailuresBeforeCritical"), 2) << "a node may be late once";
  EXPECT_EQ(check.at("Status"), "passing");
}

TEST(Consul, is_left_to_look_for_itself_when_a_node_is_registered_again) {
  const auto sent = boost::json::parse(consulRegistration(kInstance, false));
  EXPECT_EQ(sent.at("Check").at("Status"), "critical");
}

TEST(Consul, says_nothing_where_the_answer_is_none) {
  EXPECT_TRUE(consulInstances("[]", "audience")->empty());
  for (const std::string_view body :
       {"", "no json", "{}", "[1]", R"([{"Service":{}}])",
        R"([{"Service":{"Meta":{"node":"a","version":"1"},"Address":"x","Port":"80"}}])"}) {
    EXPECT_FALSE(consulInstances(body, "audience")) << body;
  }
}

}  // namespace
}  // namespace tipflow
