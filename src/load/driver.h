// Keep-alive HTTP/1.1 connections on one epoll, driven by one thread: sends what a source has due,
// hands it the answers, reconnects. Decides nothing about tips.
#pragma once

#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "load/source.h"
#include "load/wire.h"

namespace tipflow::load {

/// A resolved address.
struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
};
/// Throws std::runtime_error when the host has no address.
Address resolve(const Url& url);

MonotonicUs monotonicNow();

/// Raises the limit of open files as far as it goes; false when `connections` are still too many.
bool allowConnections(std::size_t connections);

class Driver {
 public:
  /// Requests that may be under way on one connection at once.
  static constexpr std::size_t kDepthMost = 16;

  Driver(Address address, std::size_t connections);
  ~Driver();
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  /// Runs until `source` is done or `abort` is set. `depth` requests are sent ahead of their
  /// answers on a connection: 1 behaves as people do, more is for bulk. Connections stay open for
  /// the next run.
  void run(Source& source, std::size_t depth, const std::atomic<bool>& abort);

 private:
  enum class State { closed, connecting, open };

  struct Connection {
    State state = State::closed;
    int fd = -1;
    std::string out;       // being sent
    std::size_t sent = 0;  // of out
    std::vector<char> in;  // in[0, filled) is read and not yet parsed
    std::size_t filled = 0;
    std::array<Ticket, kDepthMost> underWay{};  // a ring: answers come in the order of requests
    std::size_t first = 0;
    std::size_t waiting = 0;
    MonotonicUs deadlineUs = kNever;  // of the connect or of the oldest request
    MonotonicUs reconnectAtUs = 0;
    int failures = 0;       // in a row: attempts at a connection that brought no answer
    bool answered = false;  // since it was connected
    bool wantsOut = false;  // epoll also watches for room to send
  };

  void connect(Connection& connection, MonotonicUs now);
  void onConnected(Connection& connection, MonotonicUs now);
  void onReadable(Connection& connection);
  /// False when the connection is gone.
  bool readAnswers(Connection& connection, MonotonicUs now);
  /// Sends what is due on `connection`, as far as its depth goes.
  void pump(Connection& connection, MonotonicUs now);
  /// Sends what is due wherever there is room.
  void pumpAll(MonotonicUs now);
  void flush(Connection& connection, MonotonicUs now);
  void watch(Connection& connection, int operation, bool out);
  void close(Connection& connection, Loss loss, MonotonicUs now);
  static Loss lossOf(const Connection& connection);
  void failedToConnect(Connection& connection, int error, MonotonicUs now);
  /// Until when there is nothing to do but for events.
  [[nodiscard]] MonotonicUs idleUntil() const;
  /// Reconnects and times out; every few milliseconds is often enough.
  void keepUp(MonotonicUs now);
  [[nodiscard]] bool hasRoom(const Connection& connection) const {
    return connection.state == State::open && connection.waiting < depth_;
  }

  Address address_;
  std::vector<Connection> connections_;
  int epoll_;
  std::size_t depth_ = 1;
  std::size_t room_ = 0;  // requests that could be sent now, over all connections
  std::size_t cursor_ = 0;
  MonotonicUs nextKeepUpUs_ = 0;
  MonotonicUs sentUs_ = 0;  // when a request was last sent
  Source* source_ = nullptr;
};

}  // namespace tipflow::load
