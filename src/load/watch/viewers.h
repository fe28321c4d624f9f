// The viewers of one process: WebSockets on one epoll, driven by one thread, each in a room of its
// own. Opens them at a steady rate, answers pings, comes back after a loss where it was.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/histogram.h"
#include "base/random.h"
#include "load/driver.h"
#include "load/retry.h"
#include "load/watch/feed.h"
#include "load/watch/shared.h"
#include "load/wire.h"

namespace tipflow::load::watch {

struct Target {
  Address address;
  Url url;
};

/// Connections a source address and node: so many ports are used, 10,000 to 29,999.
constexpr int kPerAddressMost = 20'000;

struct ViewersPlan {
  std::size_t process = 0;
  std::size_t first = 0;             ///< number of its first viewer in the whole run
  std::vector<std::uint32_t> rooms;  ///< of each viewer: place among `roomIds`
  double openPerSecond = 100;
  MonotonicUs openUntilUs = 0;
  int perAddress = 4'000;
  double returnsPerSecond = 0;
  MonotonicUs awayUs = 0;
  std::uint64_t seed = 1;
};

class Viewers {
 public:
  /// `roomIds`, `tokens` and `targets` are not empty; all outlive this.
  Viewers(ViewersPlan plan, const std::vector<std::int64_t>& roomIds,
          const std::vector<std::string>& tokens, const std::vector<Target>& targets,
          Shared& shared);
  ~Viewers();
  Viewers(const Viewers&) = delete;
  Viewers& operator=(const Viewers&) = delete;

  /// Until the phase is to leave.
  Findings run();

 private:
  enum class State : std::uint8_t { out, connecting, opening, in };
  /// Some 150 bytes: a process has tens of thousands.
  struct Viewer {
    int fd = -1;
    State state = State::out;
    bool returning = false;  // its next frames are what it missed
    bool early = false;      // heard its room before the first tip was given
    std::uint16_t attempts = 0;
    std::uint16_t connects = 0;
    std::uint32_t room = 0;
    std::uint32_t frames = 0;
    Continuity continuity;
    std::int64_t amountFen = 0;
    Feed::Place place = 0;
    std::unique_ptr<std::string> rest;  // the beginning of a frame
  };

  void openSome(MonotonicUs now);
  void connect(std::size_t which, MonotonicUs now);
  void bindSource(Viewer& viewer, std::size_t which);
  [[nodiscard]] std::string targetOf(const Viewer& viewer) const;
  void sendHandshake(std::size_t which, MonotonicUs now);
  void onReadable(std::size_t which);
  /// False when the connection is closed by now.
  bool read(std::size_t which, std::string_view bytes, MonotonicUs now);
  bool readAnswer(std::size_t which, std::string_view& bytes, MonotonicUs now);
  bool hear(std::size_t which, std::string_view text, MonotonicUs now);
  void count(Viewer& viewer, const RoomFrame& frame, MonotonicUs now);
  void send(std::size_t which, const std::string& bytes, MonotonicUs now);
  void refuse(std::size_t which, const std::string& why, MonotonicUs waitUs, MonotonicUs now);
  void close(std::size_t which);
  void drop(std::size_t which, const std::string& why, MonotonicUs now);
  void sendSomeAway(MonotonicUs now);
  void noteEarly();
  void watch(std::size_t which, int operation, std::uint32_t events);
  std::uint32_t epochOf(const std::string& text);
  Feed& feedOf(const Viewer& viewer, std::size_t which);
  [[nodiscard]] const Target& target(std::size_t which) const {
    return targets_[(plan_.first + which) % targets_.size()];
  }
  Findings conclude();

  ViewersPlan plan_;
  const std::vector<std::int64_t>& roomIds_;
  const std::vector<std::string>& tokens_;
  const std::vector<Target>& targets_;
  Shared& shared_;
  Progressed& progress_;
  int epoll_;
  std::vector<Viewer> viewers_;
  std::vector<std::string> headers_;  // by token and target
  std::vector<Feed> feeds_;           // by room and target
  std::unordered_map<std::string, std::uint32_t> epochs_;
  std::vector<const std::string*> epochTexts_;
  RetryQueue later_;
  std::vector<char> buffer_;
  SeededRandom random_;
  Histogram latency_;
  Findings findings_;
  std::size_t nextToOpen_ = 0;
  std::size_t opening_ = 0;  // under way
  std::uint64_t returned_ = 0;
  MonotonicUs startUs_ = 0;
  MonotonicUs tippingUs_ = 0;  // since when tips are given; 0: not yet
};

}  // namespace tipflow::load::watch
