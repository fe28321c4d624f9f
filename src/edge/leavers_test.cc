#include "edge/leavers.h"

#include <arpa/inet.h>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tipflow::edge {
namespace {

const Server kFirst{"node-1", "10.0.0.1", 8080};
const Server kSecond{"node-2", "10.0.0.2", 8080};
const Picture kBoth{{{"audience", {kFirst, kSecond}}}, {}};
const Picture kOnlySecond{{{"audience", {kSecond}}}, {}};
constexpr Duration kStay{10 * kUsPerSecond};

class LeaversTest : public ::testing::Test {
 protected:
  Picture at(int second, const Picture& picture) {
    return leavers.with(kBoth, picture, Time{second * kUsPerSecond});
  }
  bool refuses = true;
  Leavers leavers{[this](const Server&) { return refuses; }, kStay};
};

TEST_F(LeaversTest, who_died_stays_for_a_while_and_then_goes) {
  EXPECT_EQ(at(1, kOnlySecond), kBoth);
  EXPECT_EQ(at(10, kOnlySecond), kBoth);
  EXPECT_EQ(at(11, kOnlySecond), kOnlySecond);
}

TEST_F(LeaversTest, who_came_back_may_die_again) {
  EXPECT_EQ(at(1, kOnlySecond), kBoth);
  EXPECT_EQ(at(5, kBoth), kBoth);
  EXPECT_EQ(at(12, kOnlySecond), kBoth);
}

TEST_F(LeaversTest, who_can_be_reached_or_hangs_goes_at_once) {
  refuses = false;
  EXPECT_EQ(at(1, kOnlySecond), kOnlySecond);
}

TEST_F(LeaversTest, a_role_is_left_out_when_its_last_server_goes) {
  refuses = false;
  EXPECT_TRUE(at(1, {}).roles.empty());
}

// A listening socket of this process.
class Listener {
 public:
  Listener() : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(socket_, 1), 0);
    EXPECT_EQ(getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
  }
  ~Listener() { stop(); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  void stop() {
    if (socket_ >= 0) close(socket_);
    socket_ = -1;
  }
  [[nodiscard]] int port() const { return port_; }

 private:
  int socket_;
  int port_ = 0;
};

TEST(RefusesConnections, only_where_nobody_listens) {
  Listener listener;
  const Server server{"node-1", "127.0.0.1", listener.port()};
  EXPECT_FALSE(refusesConnections(server));
  listener.stop();
  EXPECT_TRUE(refusesConnections(server));
  EXPECT_FALSE(refusesConnections({"node-1", "node-1.internal", listener.port()}));
}

}  // namespace
}  // namespace tipflow::edge
