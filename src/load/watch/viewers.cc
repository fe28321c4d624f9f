#include "load/watch/viewers.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "load/watch/socket_bytes.h"

namespace tipflow::load::watch {
namespace {

constexpr std::size_t kBuffer = 256 * 1024;
constexpr int kEvents = 512;
constexpr int kWaitMs = 5;
// Of a process at once: more would only wait for each other, and some beyond their patience.
constexpr std::size_t kOpeningMost = 128;
constexpr std::size_t kLoopbacks = 250;  // 127.0.0.1 to 127.0.0.250
constexpr std::size_t kFirstPort = 10'000;
constexpr auto kPorts = static_cast<std::size_t>(kPerAddressMost);

bool isLoopback(const Address& address) {
  if (address.storage.ss_family != AF_INET) return false;
  const auto& in = reinterpret_cast<const sockaddr_in&>(address.storage);
  return (ntohl(in.sin_addr.s_addr) >> 24U) == 127;
}

}  // namespace

Viewers::Viewers(ViewersPlan plan, const std::vector<std::int64_t>& roomIds,
                 const std::vector<std::string>& tokens, const std::vector<Target>& targets,
                 Shared& shared)
    : plan_(std::move(plan)),
      roomIds_(roomIds),
      tokens_(tokens),
      targets_(targets),
      shared_(shared),
      progress_(shared.progress(plan_.process)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      viewers_(plan_.rooms.size()),
      feeds_(roomIds.size() * targets.size()),
      buffer_(kBuffer),
      random_(plan_.seed) {
  if (epoll_ < 0) throw std::runtime_error(std::string("epoll: ") + std::strerror(errno));
  for (std::size_t i = 0; i < viewers_.size(); ++i) viewers_[i].room = plan_.rooms[i];
  for (const auto& token : tokens_) {
    for (const auto& one : targets_) headers_.push_back(senderHeaders(one.url, token));
  }
  findings_.viewers = viewers_.size();
}

Viewers::~Viewers() {
  for (auto& viewer : viewers_) {
    if (viewer.fd >= 0) ::close(viewer.fd);
  }
  ::close(epoll_);
}

Findings Viewers::run() {
  startUs_ = monotonicNow();
  std::array<epoll_event, kEvents> events;
  while (shared_.phase().load() != Phase::leaving) {
    const auto now = monotonicNow();
    if (tippingUs_ == 0 && shared_.phase().load() != Phase::opening) {
      noteEarly();
      tippingUs_ = now;
    }
    openSome(now);
    sendSomeAway(now);
    const int count = epoll_wait(epoll_, events.data(), kEvents, kWaitMs);
    for (int i = 0; i < count; ++i) {
      const auto& event = events[static_cast<std::size_t>(i)];
      auto& viewer = viewers_[event.data.u64];
      if (viewer.fd < 0) continue;
      if (viewer.state == State::connecting) {
        sendHandshake(event.data.u64, monotonicNow());
      } else {
        onReadable(event.data.u64);
      }
    }
  }
  return conclude();
}

// Opening ---------------------------------------------------------------------------------------

void Viewers::openSome(MonotonicUs now) {
  while (opening_ < kOpeningMost) {
    const auto which = later_.take(now);
    if (!which) break;
    if (viewers_[*which].state == State::out) connect(*which, now);
  }
  if (now > plan_.openUntilUs) return;
  const auto due =
      static_cast<std::size_t>(static_cast<double>(now - startUs_) / 1e6 * plan_.openPerSecond) + 1;
  const auto most = std::min(due, viewers_.size());
  while (opening_ < kOpeningMost && nextToOpen_ < most) connect(nextToOpen_++, now);
}

void Viewers::connect(std::size_t which, MonotonicUs now) {
  auto& viewer = viewers_[which];
  const auto& address = target(which).address;
  viewer.fd = socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (viewer.fd < 0) return refuse(which, std::strerror(errno), backOffUs(++viewer.attempts), now);
  const int on = 1;
  setsockopt(viewer.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (isLoopback(address)) bindSource(viewer, which);
  viewer.state = State::connecting;
  ++opening_;
  const int result =
      ::connect(viewer.fd, reinterpret_cast<const sockaddr*>(&address.storage), address.size);
  if (result != 0 && errno != EINPROGRESS) {
    return refuse(which, std::strerror(errno), backOffUs(++viewer.attempts), now);
  }
  watch(which, EPOLL_CTL_ADD, EPOLLOUT);
}

// The system looks long for the last free ports of a pair of addresses, so each viewer has its own,
// below those that the system gives; when it comes back, the next one, for its old one may be
// closing still.
void Viewers::bindSource(Viewer& viewer, std::size_t which) {
  const auto perAddress = static_cast<std::size_t>(plan_.perAddress);
  const auto number = (plan_.first + which) / targets_.size();
  const auto turn = viewer.connects++ % (kPorts / perAddress);
  sockaddr_in source{};
  source.sin_family = AF_INET;
  source.sin_addr.s_addr =
      htonl(0x7F000001U + static_cast<std::uint32_t>(number / perAddress % kLoopbacks));
  source.sin_port =
      htons(static_cast<std::uint16_t>(kFirstPort + turn * perAddress + number % perAddress));
  const int on = 1;
  setsockopt(viewer.fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  // Where it does not work the connection comes from where it would have come from.
  (void)bind(viewer.fd, reinterpret_cast<const sockaddr*>(&source), sizeof source);
}

std::string Viewers::targetOf(const Viewer& viewer) const {
  auto path = fmt::format("/ws/rooms/{}", roomIds_[viewer.room]);
  if (viewer.continuity.begun()) {
    path += fmt::format("?since={}&epoch={}", viewer.continuity.offset(),
                        *epochTexts_[viewer.continuity.epoch()]);
  }
  return path;
}

void Viewers::sendHandshake(std::size_t which, MonotonicUs now) {
  auto& viewer = viewers_[which];
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(viewer.fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return refuse(which, std::strerror(error), backOffUs(++viewer.attempts), now);
  viewer.state = State::opening;
  viewer.returning = viewer.continuity.begun();
  watch(which, EPOLL_CTL_MOD, EPOLLIN);
  const auto number = plan_.first + which;
  std::string handshake;
  appendHandshake(handshake, targetOf(viewer),
                  headers_[number % tokens_.size() * targets_.size() + number % targets_.size()]);
  send(which, handshake, now);
}

void Viewers::refuse(std::size_t which, const std::string& why, MonotonicUs waitUs,
                     MonotonicUs now) {
  ++findings_.refusals[why];
  close(which);
  later_.add(now + waitUs, which);
}

// Hearing ---------------------------------------------------------------------------------------

void Viewers::onReadable(std::size_t which) {
  auto& viewer = viewers_[which];
  std::size_t kept = 0;
  if (viewer.rest) {
    kept = viewer.rest->size();
    if (buffer_.size() < kept + kBuffer) buffer_.resize(kept + kBuffer);
    std::memcpy(buffer_.data(), viewer.rest->data(), kept);
  }
  const auto count = recv(viewer.fd, buffer_.data() + kept, buffer_.size() - kept, 0);
  const auto now = monotonicNow();
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) return drop(which, count == 0 ? "ended" : std::strerror(errno), now);
  viewer.rest.reset();
  progress_.bytes.fetch_add(static_cast<std::uint64_t>(count), std::memory_order_relaxed);
  read(which, {buffer_.data(), kept + static_cast<std::size_t>(count)}, now);
}

bool Viewers::read(std::size_t which, std::string_view bytes, MonotonicUs now) {
  auto& viewer = viewers_[which];
  if (viewer.state == State::opening && !readAnswer(which, bytes, now)) return false;
  while (viewer.state == State::in && !bytes.empty()) {
    const auto frame = readFrame(bytes);
    if (frame.kind == FrameKind::incomplete) break;
    if (frame.kind == FrameKind::malformed) {
      ++findings_.unreadable;
      drop(which, "a malformed frame", now);
      return false;
    }
    if (frame.kind == FrameKind::text && !hear(which, frame.payload, now)) return false;
    if (frame.kind == FrameKind::ping) {
      std::string pong;
      appendPong(pong, frame.payload);
      send(which, pong, now);
      if (viewer.fd < 0) return false;
    }
    if (frame.kind == FrameKind::close) {
      drop(which, "closed by the server", now);
      return false;
    }
    bytes.remove_prefix(frame.size);
  }
  if (!bytes.empty()) viewer.rest = std::make_unique<std::string>(bytes);
  return true;
}

bool Viewers::readAnswer(std::size_t which, std::string_view& bytes, MonotonicUs now) {
  auto& viewer = viewers_[which];
  const auto opening = readOpening(bytes);
  switch (opening.state) {
    case Opening::State::incomplete:
      return true;
    case Opening::State::malformed:
      refuse(which, "an answer that is no handshake", backOffUs(++viewer.attempts), now);
      return false;
    case Opening::State::refused:
      refuse(which, std::to_string(opening.status),
             opening.retryAfterSeconds
                 ? std::max(1, *opening.retryAfterSeconds) * MonotonicUs{1'000'000}
                 : backOffUs(++viewer.attempts),
             now);
      return false;
    case Opening::State::open:
      break;
  }
  bytes.remove_prefix(opening.size);
  viewer.state = State::in;
  --opening_;
  viewer.attempts = 0;
  viewer.place = feedOf(viewer, which).end();
  progress_.open.fetch_add(1, std::memory_order_relaxed);
  return true;
}

bool Viewers::hear(std::size_t which, std::string_view text, MonotonicUs now) {
  auto& viewer = viewers_[which];
  progress_.frames.fetch_add(1, std::memory_order_relaxed);
  const auto* frame = feedOf(viewer, which).take(text, viewer.place);
  if (frame == nullptr) {
    ++findings_.unreadable;
    return true;
  }
  if (frame->kind == RoomFrame::Kind::bye) {
    ++findings_.byes[frame->code];
    const auto wait = frame->retryAfterSeconds.value_or(1);
    close(which);
    later_.add(now + std::max(1, wait) * MonotonicUs{1'000'000}, which);
    return false;
  }
  const auto epoch = frame->kind == RoomFrame::Kind::hello ? epochOf(frame->epoch) : 0;
  const bool returned = viewer.returning;
  const auto verdict = viewer.continuity.hear(*frame, epoch);
  findings_.gaps += verdict.gap ? 1 : 0;
  findings_.repeats += verdict.repeat ? 1 : 0;
  findings_.anew += verdict.anew ? 1 : 0;
  if (returned && !verdict.anew && !verdict.gap) ++findings_.resumed;
  viewer.returning = false;
  if (frame->kind != RoomFrame::Kind::events) return true;
  viewer.amountFen += frame->amountFen;
  progress_.deliveries.fetch_add(frame->tips.size(), std::memory_order_relaxed);
  if (!returned) count(viewer, *frame, now);
  return true;
}

// What a viewer missed while it was away says nothing of how fast the others see it.
void Viewers::count(Viewer& viewer, const RoomFrame& frame, MonotonicUs now) {
  ++viewer.frames;
  for (const auto& seen : frame.tips) {
    if (seen.number >= shared_.tipsMost()) continue;
    auto& tip = shared_.tip(seen.number);
    if (!tip.timed) continue;
    latency_.record(std::chrono::microseconds(now - tip.sentUs));
    tip.seen(now);
  }
}

void Viewers::send(std::size_t which, const std::string& bytes, MonotonicUs now) {
  // What a viewer says is less than the emptiest buffer takes.
  const auto sent = ::send(viewers_[which].fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(bytes.size())) drop(which, "the server does not read", now);
}

// Leaving and coming back -----------------------------------------------------------------------

void Viewers::close(std::size_t which) {
  auto& viewer = viewers_[which];
  if (viewer.state == State::in) progress_.open.fetch_sub(1, std::memory_order_relaxed);
  if (viewer.state == State::connecting || viewer.state == State::opening) --opening_;
  if (viewer.fd >= 0) ::close(viewer.fd);
  viewer.fd = -1;
  viewer.state = State::out;
  viewer.rest.reset();
}

void Viewers::drop(std::size_t which, const std::string& why, MonotonicUs now) {
  auto& viewer = viewers_[which];
  if (viewer.state == State::in) {
    ++findings_.dropped;
    ++findings_.refusals["connection " + why];
    close(which);
    later_.add(now, which);
    return;
  }
  refuse(which, "connection " + why, backOffUs(++viewer.attempts), now);
}

void Viewers::sendSomeAway(MonotonicUs now) {
  if (plan_.returnsPerSecond <= 0 || shared_.phase().load() != Phase::tipping) return;
  const auto due = static_cast<std::uint64_t>(static_cast<double>(now - tippingUs_) / 1e6 *
                                              plan_.returnsPerSecond);
  for (; returned_ < due; ++returned_) {
    const auto which = random_.below(viewers_.size());
    if (viewers_[which].state != State::in) continue;
    close(which);  // as a client does whose network is gone
    later_.add(now + plan_.awayUs, which);
  }
}

void Viewers::noteEarly() {
  for (auto& viewer : viewers_) {
    viewer.early = viewer.state == State::in && viewer.continuity.begun();
  }
  progress_.noted = 1;
}

void Viewers::watch(std::size_t which, int operation, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = which;
  if (epoll_ctl(epoll_, operation, viewers_[which].fd, &event) != 0) {
    throw std::runtime_error(std::string("epoll: ") + std::strerror(errno));
  }
}

std::uint32_t Viewers::epochOf(const std::string& text) {
  const auto [found, fresh] =
      epochs_.try_emplace(text, static_cast<std::uint32_t>(epochTexts_.size()));
  if (fresh) epochTexts_.push_back(&found->first);
  return found->second;
}

Feed& Viewers::feedOf(const Viewer& viewer, std::size_t which) {
  return feeds_[viewer.room * targets_.size() + (plan_.first + which) % targets_.size()];
}

Findings Viewers::conclude() {
  struct Sum {
    std::int64_t acknowledged = 0;
    std::int64_t doubtful = 0;  // sent, and nobody knows
  };
  std::vector<Sum> sums(roomIds_.size());
  for (std::size_t i = 0; i < shared_.tipsMost(); ++i) {
    const auto& tip = shared_.tip(i);
    const auto state = tip.state.load(std::memory_order_acquire);
    if (state == TipState::unsent) break;
    auto& sum = sums[tip.room];
    if (state == TipState::acknowledged) sum.acknowledged += tip.amountFen;
    if (state == TipState::sent) sum.doubtful += tip.amountFen;
  }
  for (const auto& viewer : viewers_) {
    if (viewer.state != State::in) continue;
    ++findings_.openAtEnd;
    if (!viewer.early || !viewer.continuity.whole()) continue;
    ++findings_.whole;
    const auto& sum = sums[viewer.room];
    const bool right =
        viewer.amountFen >= sum.acknowledged && viewer.amountFen <= sum.acknowledged + sum.doubtful;
    if (!right) ++findings_.wrongSums;
    if (viewer.amountFen < sum.acknowledged) ++findings_.shortSums;
  }
  for (const auto& feed : feeds_) findings_.framesRead += feed.read();
  findings_.latencies = latency_.steps();
  return findings_;
}

}  // namespace tipflow::load::watch
