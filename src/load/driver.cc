#include "load/driver.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <memory>
#include <stdexcept>

namespace tipflow::load {
namespace {

constexpr std::size_t kReadBytes = 16 * 1024;
constexpr int kEvents = 256;
constexpr MonotonicUs kAnswerTimeoutUs = 10'000'000;
constexpr MonotonicUs kConnectTimeoutUs = 3'000'000;
constexpr MonotonicUs kKeepUpUs = 20'000;
// Requests due closer together than this leave together: a wake-up for each costs as much as the
// request, on cores that the node needs. They are late by as much, and their latency says so.
constexpr MonotonicUs kTogetherUs = 250;
constexpr MonotonicUs kReconnectFirstUs = 20'000;
constexpr MonotonicUs kReconnectMostUs = 1'000'000;
constexpr int kDoublingsMost = 6;
constexpr std::size_t kFilesBeside = 64;  // descriptors that are not connections

}  // namespace

Address resolve(const Url& url) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(url.host.c_str(), std::to_string(url.port).c_str(), &hints, &found);
  if (error != 0) throw std::runtime_error(url.host + " has no address: " + gai_strerror(error));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  Address address;
  std::memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
  address.size = found->ai_addrlen;
  return address;
}

MonotonicUs monotonicNow() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return MonotonicUs{now.tv_sec} * 1'000'000 + now.tv_nsec / 1'000;
}

bool allowConnections(std::size_t connections) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return true;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  return getrlimit(RLIMIT_NOFILE, &limit) != 0 || connections + kFilesBeside <= limit.rlim_cur;
}

Driver::Driver(Address address, std::size_t connections)
    : address_(address), connections_(connections), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) throw std::runtime_error(std::string("epoll: ") + std::strerror(errno));
  for (auto& connection : connections_) connection.in.resize(kReadBytes);
}

Driver::~Driver() {
  for (const auto& connection : connections_) {
    if (connection.fd >= 0) ::close(connection.fd);
  }
  ::close(epoll_);
}

void Driver::run(Source& source, std::size_t depth, const std::atomic<bool>& abort) {
  // Timers of this thread are otherwise up to 50 µs late, on purpose, to save power.
  prctl(PR_SET_TIMERSLACK, 1);
  source_ = &source;
  depth_ = std::min(depth, kDepthMost);
  room_ = depth_ * static_cast<std::size_t>(std::count_if(
                       connections_.begin(), connections_.end(),
                       [](const Connection& one) { return one.state == State::open; }));
  nextKeepUpUs_ = 0;
  std::array<epoll_event, kEvents> events;
  for (auto now = monotonicNow(); !abort.load(std::memory_order_relaxed) && !source.done(now);
       now = monotonicNow()) {
    if (now >= nextKeepUpUs_) keepUp(now);
    pumpAll(now);
    now = monotonicNow();
    const auto sleepUs = std::max<MonotonicUs>(0, idleUntil() - now);
    timespec timeout{sleepUs / 1'000'000, sleepUs % 1'000'000 * 1'000};
    int count = epoll_pwait2(epoll_, events.data(), kEvents, &timeout, nullptr);
    if (count < 0 && errno == ENOSYS) {  // before Linux 5.11: whole milliseconds
      count = epoll_wait(epoll_, events.data(), kEvents, static_cast<int>((sleepUs + 999) / 1'000));
    }
    for (int i = 0; i < count; ++i) {
      auto& connection = connections_[events[i].data.u64];
      if (connection.state == State::connecting) {
        onConnected(connection, monotonicNow());
      } else {
        // Each step may close the connection, and an event may have come before it was closed.
        const bool mayRead = (events[i].events & ~EPOLLOUT) != 0;
        if (connection.wantsOut) flush(connection, monotonicNow());
        if (mayRead && connection.state == State::open) onReadable(connection);
      }
    }
  }
  // Whatever is still under way would be answered into the next run.
  for (auto& connection : connections_) {
    if (connection.waiting > 0 || connection.state == State::connecting) {
      close(connection, Loss::broken, monotonicNow());
    }
  }
  source_ = nullptr;
}

MonotonicUs Driver::idleUntil() const {
  const auto due = room_ > 0 ? source_->dueUs() : kNever;
  return std::min(nextKeepUpUs_, std::max(due, sentUs_ + kTogetherUs));
}

void Driver::keepUp(MonotonicUs now) {
  nextKeepUpUs_ = now + kKeepUpUs;
  for (auto& connection : connections_) {
    switch (connection.state) {
      case State::closed:
        if (now >= connection.reconnectAtUs) connect(connection, now);
        break;
      case State::connecting:
        if (now >= connection.deadlineUs) failedToConnect(connection, ETIMEDOUT, now);
        break;
      case State::open:
        if (now >= connection.deadlineUs) close(connection, Loss::timedOut, now);
        break;
    }
  }
}

void Driver::connect(Connection& connection, MonotonicUs now) {
  connection.fd = socket(address_.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (connection.fd < 0) return failedToConnect(connection, errno, now);
  const int on = 1;
  setsockopt(connection.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  connection.state = State::connecting;
  connection.deadlineUs = now + kConnectTimeoutUs;
  const int result =
      ::connect(connection.fd, reinterpret_cast<const sockaddr*>(&address_.storage), address_.size);
  if (result != 0 && errno != EINPROGRESS) return failedToConnect(connection, errno, now);
  watch(connection, EPOLL_CTL_ADD, true);
}

void Driver::onConnected(Connection& connection, MonotonicUs now) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(connection.fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return failedToConnect(connection, error, now);
  connection.state = State::open;
  connection.deadlineUs = kNever;
  room_ += depth_;
  watch(connection, EPOLL_CTL_MOD, false);
  pump(connection, now);
}

void Driver::failedToConnect(Connection& connection, int error, MonotonicUs now) {
  source_->unreachable(std::strerror(error), now);
  close(connection, Loss::broken, now);
}

void Driver::watch(Connection& connection, int operation, bool out) {
  epoll_event event{};
  event.events = EPOLLIN | (out ? EPOLLOUT : 0U);
  event.data.u64 = static_cast<std::uint64_t>(&connection - connections_.data());
  connection.wantsOut = out;
  if (epoll_ctl(epoll_, operation, connection.fd, &event) != 0) {
    throw std::runtime_error(std::string("epoll: ") + std::strerror(errno));
  }
}

Loss Driver::lossOf(const Connection& connection) {
  const bool stale = connection.answered && connection.waiting == 1 && connection.filled == 0;
  return stale ? Loss::stale : Loss::broken;
}

void Driver::close(Connection& connection, Loss loss, MonotonicUs now) {
  if (connection.fd >= 0) ::close(connection.fd);
  if (connection.state == State::open) room_ -= depth_ - connection.waiting;
  // A server that takes connections and breaks them is not better than one that takes none.
  if (!connection.answered) ++connection.failures;
  connection.state = State::closed;
  connection.fd = -1;
  connection.out.clear();
  connection.sent = 0;
  connection.filled = 0;
  connection.wantsOut = false;
  connection.answered = false;
  connection.deadlineUs = kNever;
  const auto delay = connection.failures == 0
                         ? 0
                         : kReconnectFirstUs << std::min(connection.failures - 1, kDoublingsMost);
  connection.reconnectAtUs = now + std::min<MonotonicUs>(delay, kReconnectMostUs);
  nextKeepUpUs_ = std::min(nextKeepUpUs_, connection.reconnectAtUs);
  for (; connection.waiting > 0; --connection.waiting) {
    source_->lost(connection.underWay[connection.first], loss, now);
    connection.first = (connection.first + 1) % kDepthMost;
  }
}

void Driver::pumpAll(MonotonicUs now) {
  // Round robin: few requests are spread over all connections, which keeps each of them alive.
  while (room_ > 0 && source_->dueUs() <= now) {
    std::size_t tried = 0;
    while (tried++ < connections_.size() && !hasRoom(connections_[cursor_])) {
      cursor_ = (cursor_ + 1) % connections_.size();
    }
    const auto before = room_;
    pump(connections_[cursor_], now);
    cursor_ = (cursor_ + 1) % connections_.size();
    if (room_ == before) return;
    now = monotonicNow();  // sending takes time, which is not the next request's
  }
}

void Driver::pump(Connection& connection, MonotonicUs now) {
  const auto before = connection.waiting;
  while (hasRoom(connection)) {
    const auto ticket = source_->next(now, connection.out);
    if (!ticket) break;
    connection.underWay[(connection.first + connection.waiting) % kDepthMost] = *ticket;
    ++connection.waiting;
    --room_;
  }
  if (connection.waiting == before) return;
  sentUs_ = now;
  if (before == 0) connection.deadlineUs = now + kAnswerTimeoutUs;
  if (!connection.wantsOut) flush(connection, now);
}

void Driver::flush(Connection& connection, MonotonicUs now) {
  while (connection.sent < connection.out.size()) {
    const auto count = send(connection.fd, connection.out.data() + connection.sent,
                            connection.out.size() - connection.sent, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) {
      if (!connection.wantsOut) watch(connection, EPOLL_CTL_MOD, true);
      return;
    }
    if (count < 0) return close(connection, lossOf(connection), now);
    connection.sent += static_cast<std::size_t>(count);
  }
  connection.out.clear();
  connection.sent = 0;
  if (connection.wantsOut) watch(connection, EPOLL_CTL_MOD, false);
}

void Driver::onReadable(Connection& connection) {
  const auto count = recv(connection.fd, connection.in.data() + connection.filled,
                          connection.in.size() - connection.filled, 0);
  const auto now = monotonicNow();
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) return close(connection, lossOf(connection), now);
  connection.filled += static_cast<std::size_t>(count);
  if (readAnswers(connection, now)) pump(connection, now);
}

bool Driver::readAnswers(Connection& connection, MonotonicUs now) {
  std::string_view rest(connection.in.data(), connection.filled);
  while (!rest.empty()) {
    const auto parsed = parseAnswer(rest);
    if (parsed.state == ParseState::incomplete) break;
    if (parsed.state == ParseState::malformed || connection.waiting == 0) {
      close(connection, Loss::broken, now);
      return false;
    }
    rest.remove_prefix(parsed.size);
    const auto ticket = connection.underWay[connection.first];
    connection.first = (connection.first + 1) % kDepthMost;
    --connection.waiting;
    ++room_;
    connection.failures = 0;
    connection.answered = true;
    connection.deadlineUs = connection.waiting > 0 ? now + kAnswerTimeoutUs : kNever;
    source_->answered(ticket, parsed.answer, now);
    if (parsed.answer.closes) {
      close(connection, Loss::broken, now);
      return false;
    }
  }
  // What is left is the beginning of an answer.
  std::memmove(connection.in.data(), rest.data(), rest.size());
  connection.filled = rest.size();
  if (connection.filled == connection.in.size()) connection.in.resize(connection.in.size() * 2);
  return true;
}

}  // namespace tipflow::load
