// For tests: an HTTP server on this machine that can be slow, lie, break off, refuse, or be dead.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <condition_variable>
#include <list>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace tipflow::rpc {

class FakeNode {
 public:
  enum class Mood {
    good,        ///< 200 with `answer`
    slow,        ///< never answers
    lying,       ///< 200 with something else
    overloaded,  ///< 503
    broken,      ///< 500
    breakingOff  ///< takes the request and closes
  };

  explicit FakeNode(std::string answer = R"({"number":7})", int port = 0)
      : answer_(std::move(answer)), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int on = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        listen(listener_, 64) != 0) {
      throw std::runtime_error("no port for a fake node");
    }
    socklen_t size = sizeof address;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept(); });
  }
  ~FakeNode() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
      for (const int connection : open_) shutdown(connection, SHUT_RDWR);
    }
    wake_.notify_all();
    shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    for (auto& thread : threads_) thread.join();
    ::close(listener_);
  }
  FakeNode(const FakeNode&) = delete;
  FakeNode& operator=(const FakeNode&) = delete;

  void be(Mood mood) { mood_ = mood; }
  /// What it says from now on when it is good; `status`: `409 Conflict`.
  void say(std::string status, std::string answer) {
    const std::lock_guard lock(mutex_);
    status_ = std::move(status);
    answer_ = std::move(answer);
  }
  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] int requests() const { return requests_; }
  [[nodiscard]] int connections() const { return connections_; }
  /// The request that came last, headers and body.
  [[nodiscard]] std::string last() const {
    const std::lock_guard lock(mutex_);
    return last_;
  }

 private:
  void accept() {
    for (;;) {
      const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection < 0) return;
      const std::lock_guard lock(mutex_);
      if (ended_) {
        ::close(connection);
        return;
      }
      ++connections_;
      open_.insert(connection);
      threads_.emplace_back([this, connection] {
        serve(connection);
        const std::lock_guard closing(mutex_);
        open_.erase(connection);
        ::close(connection);
      });
    }
  }

  void serve(int connection) {
    std::string bytes;
    while (readRequest(connection, bytes)) {
      ++requests_;
      const auto mood = mood_.load();
      if (mood == Mood::breakingOff) return;
      if (mood == Mood::slow) {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return ended_; });
        return;
      }
      const auto text = answerOf(mood);
      if (write(connection, text.data(), text.size()) < 0) return;
    }
  }

  bool readRequest(int connection, std::string& bytes) {
    for (;;) {
      const auto end = bytes.find("\r\n\r\n");
      const auto whole = end == std::string::npos ? 0 : end + 4 + bodyBytes(bytes);
      if (whole > 0 && bytes.size() >= whole) {
        const std::lock_guard lock(mutex_);
        last_ = bytes.substr(0, whole);
        bytes.erase(0, whole);
        return true;
      }
      char buffer[4096];
      const auto size = read(connection, buffer, sizeof buffer);
      if (size <= 0) return false;
      bytes.append(buffer, static_cast<std::size_t>(size));
    }
  }

  static std::size_t bodyBytes(const std::string& request) {
    constexpr std::string_view kLength = "content-length: ";
    std::size_t bytes = 0;
    const auto found = request.find(kLength);
    if (found == std::string::npos) return 0;
    const auto* from = request.data() + found + kLength.size();
    std::from_chars(from, request.data() + request.size(), bytes);
    return bytes;
  }

  [[nodiscard]] std::string answerOf(Mood mood) const {
    const std::lock_guard lock(mutex_);
    std::string status = status_;
    std::string body = answer_;
    if (mood == Mood::lying) body = "<html>welcome</html>";
    if (mood == Mood::overloaded) status = "503 Service Unavailable";
    if (mood == Mood::broken) status = "500 Internal Server Error";
    return "HTTP/1.1 " + status +
           "\r\ncontent-type: application/json\r\ncontent-length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
  }

  std::string status_ = "200 OK";
  std::string answer_;
  int listener_;
  int port_ = 0;
  std::atomic<Mood> mood_{Mood::good};
  std::atomic<int> requests_{0};
  std::atomic<int> connections_{0};
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool ended_ = false;
  std::string last_;
  std::set<int> open_;
  std::list<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace tipflow::rpc
