// Against a socket on this machine: what comes of the bytes between a source and a server.
#include "load/driver.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "load/retry.h"

namespace tipflow::load {
namespace {

constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// Listens on a port of the system's choice; `serve` gets one accepted connection after the other.
class Server {
 public:
  explicit Server(std::vector<std::function<void(int)>> serve) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    listen(listener_, 16);
    socklen_t size = sizeof address;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this, serve = std::move(serve)] {
      for (const auto& each : serve) {
        const int connection = accept(listener_, nullptr, nullptr);
        if (connection < 0) return;
        each(connection);
        ::close(connection);
      }
    });
  }
  ~Server() {
    shutdown(listener_, SHUT_RDWR);  // should the client not have come, the thread does not wait
    thread_.join();
    ::close(listener_);
  }
  [[nodiscard]] Url url() const { return {"127.0.0.1", port_}; }

 private:
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::jthread thread_;
};

// Reads `count` requests without a body; returns false when the connection ended before.
bool readRequests(int connection, int count) {
  std::string bytes;
  while (count > 0) {
    char buffer[512];
    const auto size = read(connection, buffer, sizeof buffer);
    if (size <= 0) return false;
    bytes.append(buffer, static_cast<std::size_t>(size));
    for (auto end = bytes.find("\r\n\r\n"); end != std::string::npos;
         end = bytes.find("\r\n\r\n")) {
      bytes.erase(0, end + 4);
      --count;
    }
  }
  return true;
}

void writeAll(int connection, std::string_view bytes) {
  ASSERT_EQ(write(connection, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
}

// Asks `count` times, and again for what was lost.
class Asker final : public Source {
 public:
  explicit Asker(std::uint64_t count) : left_(count) {
    for (std::uint64_t i = 0; i < count; ++i) queue_.add(0, i);
  }
  std::optional<Ticket> next(MonotonicUs now, std::string& out) override {
    const auto item = queue_.take(now);
    if (item) appendGet(out, {"/", "Host: n\r\n", {}});
    return item;
  }
  [[nodiscard]] MonotonicUs dueUs() const override { return queue_.dueUs(); }
  void answered(Ticket ticket, const Answer& answer, MonotonicUs) override {
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "ok");
    order.push_back(ticket);
    --left_;
  }
  void lost(Ticket ticket, Loss loss, MonotonicUs now) override {
    ++losses;
    if (loss == Loss::stale) ++stale;
    queue_.add(now, ticket);
  }
  void unreachable(std::string_view, MonotonicUs) override { ++refusals; }
  bool done(MonotonicUs) override { return left_ == 0 || refusals > 3; }

  std::vector<Ticket> order;
  int losses = 0;
  int stale = 0;
  int refusals = 0;

 private:
  std::uint64_t left_;
  RetryQueue queue_;
};

const std::atomic<bool> kGoOn = false;

TEST(Driver, reads_answers_however_they_are_cut) {
  Server server({[](int connection) {
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(readRequests(connection, 1));
      for (const char c : kOk) writeAll(connection, {&c, 1});
    }
  }});
  Asker asker(3);
  Driver(resolve(server.url()), 1).run(asker, 1, kGoOn);
  EXPECT_EQ(asker.order, (std::vector<Ticket>{0, 1, 2}));
  EXPECT_EQ(asker.losses, 0);
}

TEST(Driver, sends_ahead_and_matches_answers_in_order) {
  Server server({[](int connection) {
    ASSERT_TRUE(readRequests(connection, 8));
    std::string all;
    for (int i = 0; i < 8; ++i) all += kOk;
    writeAll(connection, all);
  }});
  Asker asker(8);
  Driver(resolve(server.url()), 1).run(asker, 8, kGoOn);
  EXPECT_EQ(asker.order, (std::vector<Ticket>{0, 1, 2, 3, 4, 5, 6, 7}));
}

TEST(Driver, tells_of_a_broken_connection_and_makes_another) {
  Server server({[](int connection) { EXPECT_TRUE(readRequests(connection, 1)); },
                 [](int connection) {
                   ASSERT_TRUE(readRequests(connection, 1));
                   writeAll(connection, kOk.substr(0, kOk.size() - 1));
                 },
                 [](int connection) {
                   ASSERT_TRUE(readRequests(connection, 1));
                   writeAll(connection, kOk);
                 }});
  Asker asker(1);
  Driver(resolve(server.url()), 1).run(asker, 1, kGoOn);
  EXPECT_EQ(asker.losses, 2);
  EXPECT_EQ(asker.stale, 0);
  EXPECT_EQ(asker.order.size(), 1U);
}

TEST(Driver, tells_a_connection_that_was_closed_idle_from_one_that_broke) {
  Server server({[](int connection) {
                   ASSERT_TRUE(readRequests(connection, 1));
                   writeAll(connection, kOk);
                   EXPECT_TRUE(readRequests(connection, 1));
                 },
                 [](int connection) {
                   ASSERT_TRUE(readRequests(connection, 1));
                   writeAll(connection, kOk);
                   ASSERT_TRUE(readRequests(connection, 1));
                   writeAll(connection, kOk.substr(0, 1));
                 },
                 [](int connection) {
                   ASSERT_TRUE(readRequests(connection, 1));
                   writeAll(connection, kOk);
                 }});
  Asker asker(3);
  Driver(resolve(server.url()), 1).run(asker, 1, kGoOn);
  EXPECT_EQ(asker.losses, 2);
  EXPECT_EQ(asker.stale, 1);
  EXPECT_EQ(asker.order.size(), 3U);
}

TEST(Driver, gives_up_a_connection_that_answers_nonsense_or_unasked) {
  Server server({[](int connection) {
                   ASSERT_TRUE(readRequests(connection, 1));
                   writeAll(connection, "SSH-2.0-server\r\n");
                   EXPECT_FALSE(readRequests(connection, 1));
                 },
                 [](int connection) {
                   ASSERT_TRUE(readRequests(connection, 1));
                   writeAll(connection, std::string(kOk) + std::string(kOk));
                   EXPECT_FALSE(readRequests(connection, 2));
                 },
                 [](int connection) {
                   ASSERT_TRUE(readRequests(connection, 1));
                   writeAll(connection, kOk);
                 }});
  Asker asker(2);
  Driver(resolve(server.url()), 1).run(asker, 1, kGoOn);
  EXPECT_EQ(asker.order.size(), 2U);
  EXPECT_GE(asker.losses, 1);
}

TEST(Driver, says_when_nobody_listens) {
  Url url;
  {
    const Server server({});
    url = server.url();
  }
  Asker asker(1);
  Driver(resolve(url), 1).run(asker, 1, kGoOn);
  EXPECT_EQ(asker.refusals, 4);
}

}  // namespace
}  // namespace tipflow::load
