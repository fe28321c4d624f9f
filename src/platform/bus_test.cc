#include "platform/bus.h"

#include <gtest/gtest.h>

namespace tipflow {
namespace {

TEST(LocalBus, tells_every_listener_of_the_topic_and_no_other) {
  LocalBus bus;
  std::vector<std::string> heard;
  bus.publish("room", "before anyone listens");
  bus.subscribe("room", [&](std::string_view m) { heard.push_back("first " + std::string(m)); });
  bus.subscribe("room", [&](std::string_view m) { heard.push_back("second " + std::string(m)); });
  bus.subscribe("viewer", [&](std::string_view m) { heard.push_back("viewer " + std::string(m)); });
  bus.publish("room", "7");
  bus.publish("nobody", "8");
  const std::vector<std::string> expected{"first 7", "second 7"};
  EXPECT_EQ(heard, expected);
}

TEST(LocalBus, a_listener_may_publish_and_subscribe) {
  LocalBus bus;
  int heard = 0;
  bus.subscribe("second", [&](std::string_view) { ++heard; });
  bus.subscribe("first", [&](std::string_view) {
    bus.subscribe("second", [&](std::string_view) { ++heard; });
    bus.publish("second", "");
  });
  bus.publish("first", "");
  EXPECT_EQ(heard, 2);
}

}  // namespace
}  // namespace tipflow
