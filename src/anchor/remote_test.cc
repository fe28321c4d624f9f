// What a node without the role anchor knows of rooms, with a real server that has the role.
#include "anchor/remote.h"

#include <gtest/gtest.h>
#include <trantor/net/EventLoopThread.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "platform/rpc/fake_node.h"

namespace tipflow::anchor {
namespace {

using Mood = rpc::FakeNode::Mood;

constexpr auto kSoon = std::chrono::seconds(10);
constexpr const char* kLive =
    R"({"items":[{"roomId":7,"anchorId":3,"anchorName":"Li","anchorGender":"female","state":"live",)"
    R"("bannedUntil":null,"sessionId":11,"tags":["music"]}],"next":null})";
constexpr const char* kOff =
    R"({"items":[{"roomId":7,"anchorId":3,"anchorName":"Li","anchorGender":"female","state":"off",)"
    R"("bannedUntil":null,"sessionId":0,"tags":[]}],"next":null})";

class RemoteAnchorsTest : public ::testing::Test {
 protected:
  RemoteAnchorsTest() {
    registry.add({"node", "anchor", "127.0.0.1", node.port(), "1"});
    anchors.listen(bus);
    thread.run();
  }
  ~RemoteAnchorsTest() override {
    thread.getLoop()->queueInLoop([this] { quitWhenIdle(); });
    thread.wait();
  }
  // On the loop: an answer that comes after its end would find nobody.
  void quitWhenIdle() {
    const auto peers = caller.state().peers;
    const bool idle = std::none_of(peers.begin(), peers.end(),
                                   [](const auto& peer) { return peer.inFlight > 0; });
    auto* loop = thread.getLoop();
    if (idle) return loop->quit();
    loop->runAfter(0.001, [this] { quitWhenIdle(); });
  }
  void start() { anchors.start(*thread.getLoop()); }
  template <class Condition>
  static bool soon(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + kSoon;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::yield();
    }
    return true;
  }
  std::optional<RoomState> state() {
    const auto room = anchors.room(RoomId{7});
    return room ? std::optional(room->state) : std::nullopt;
  }

  rpc::FakeNode node{kLive};
  LocalRegistry registry;
  rpc::Connections connections;
  SystemClock clock;
  SeededRandom random{1};
  Metrics metrics;
  LocalBus bus;
  rpc::Caller caller{"anchor",
                     registry,
                     connections,
                     [](auto, const auto&, const auto&) {
                       return std::vector<std::pair<std::string, std::string>>{};
                     },
                     clock,
                     random,
                     metrics};
  RemoteAnchors anchors{caller, clock};
  trantor::EventLoopThread thread;
};

TEST_F(RemoteAnchorsTest, knows_no_room_before_a_node_told_of_them) {
  EXPECT_FALSE(anchors.roomsKnown());
  EXPECT_FALSE(anchors.room(RoomId{7}));
}

TEST_F(RemoteAnchorsTest, reads_the_rooms_and_hears_of_changes) {
  start();
  ASSERT_TRUE(soon([&] { return state() == RoomState::live; }));
  EXPECT_EQ(anchors.room(RoomId{7})->session, SessionId{11});
  EXPECT_EQ(anchors.anchor(AnchorId{3})->name, "Li");
  EXPECT_EQ(anchors.roomTags(RoomId{7}), std::vector<std::string>{"music"});
  node.say("200 OK", kOff);
  bus.publish(topic::kRoomChanged, "7");
  EXPECT_TRUE(soon([&] { return state() == RoomState::off; }));
}

TEST_F(RemoteAnchorsTest, what_is_known_serves_while_the_role_is_away_or_talks_nonsense) {
  start();
  ASSERT_TRUE(soon([&] { return state() == RoomState::live; }));
  for (const auto mood : {Mood::overloaded, Mood::lying, Mood::breakingOff}) {
    node.be(mood);
    const int before = node.requests();
    bus.publish(topic::kRoomChanged, "7");
    ASSERT_TRUE(soon([&] { return node.requests() > before; }));
    EXPECT_EQ(state(), RoomState::live);
  }
  node.be(Mood::good);
  node.say("200 OK", R"({"items":[],"next":null})");
  const int before = node.requests();
  bus.publish(topic::kRoomChanged, "7");
  ASSERT_TRUE(soon([&] { return node.requests() > before; }));
  EXPECT_EQ(state(), RoomState::live) << "an empty answer is none";
}

TEST_F(RemoteAnchorsTest, takes_kicks_and_mutes_from_the_bus_at_once) {
  const auto until = (clock.now() + Duration{60 * kUsPerSecond}).us;
  bus.publish(
      topic::kRoomModeration,
      fmt::format(R"({{"roomId":7,"viewerId":9,"kickedUntil":{},"mutedUntil":null}})", until));
  EXPECT_EQ(anchors.kickedUntil(RoomId{7}, ViewerId{9}), Time{until});
  EXPECT_FALSE(anchors.mutedUntil(RoomId{7}, ViewerId{9}));
  bus.publish(topic::kRoomModeration,
              R"({"roomId":7,"viewerId":9,"kickedUntil":null,"mutedUntil":null})");
  EXPECT_FALSE(anchors.kickedUntil(RoomId{7}, ViewerId{9}));
}

TEST_F(RemoteAnchorsTest, looking_again_finds_what_no_news_told_of) {
  node.say("200 OK", kOff);
  start();
  ASSERT_TRUE(soon([&] { return state() == RoomState::off; }));
  node.say("200 OK", kLive);
  std::atomic<bool> looked{false};
  thread.getLoop()->queueInLoop([&] {
    drogon::async_run([&]() -> drogon::Task<> {
      co_await anchors.lookAgain(RoomId{7});
      looked = true;
    });
  });
  ASSERT_TRUE(soon([&] { return looked.load(); }));
  EXPECT_EQ(state(), RoomState::live);
}

}  // namespace
}  // namespace tipflow::anchor
