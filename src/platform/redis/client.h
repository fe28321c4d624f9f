// Redis for coroutines: one thread with one connection sends whatever waits at once, so that many
// who ask share a round trip. While Redis is away whoever asks is told so at once; nobody waits
// longer than twice the time an answer may take.
#pragma once

#include <drogon/utils/coroutine.h>
#include <trantor/net/EventLoop.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "platform/metrics.h"
#include "platform/redis/connection.h"

namespace tipflow::redis {

struct Limits {
  Duration connect{1 * kUsPerSecond};
  Duration answer{300 * kUsPerMs};
  Duration shortestPause{50 * kUsPerMs};  ///< before connecting again; doubled each time
  Duration longestPause{1 * kUsPerSecond};
  std::size_t queue = 20'000;  ///< commands waiting at most; more are told that Redis is away
};

class Client {
 public:
  /// What came back, in order; empty when Redis is away: then nothing is known of what it did.
  using Done = std::function<void(std::vector<Reply>)>;

  Client(Url url, Metrics& metrics, Limits limits = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Before `start`. Called on the client's thread: with false when the connection is lost, before
  /// anybody whose commands went with it is told; with true when there is a new one.
  void onChange(std::function<void(bool up)> listener) {
    listeners_.push_back(std::move(listener));
  }
  void start();
  /// What waits is still asked; from then on Redis is away.
  void stop();

  /// From any thread; never waits. Commands of one caller are carried out in their order. `done`
  /// is called on the client's thread, or at once, and must be quick.
  void submit(std::vector<Command> commands, Done done);
  /// As `submit`; the awaiting coroutine goes on where it was.
  drogon::Task<std::vector<Reply>> run(std::vector<Command> commands);

  [[nodiscard]] bool up() const { return up_.load(); }
  [[nodiscard]] const Url& url() const { return url_; }
  /// Waits until Redis is up, at most so long.
  bool waitUntilUp(Duration limit);

 private:
  struct Pending {
    std::vector<Command> commands;
    Done done;
  };

  void work();
  bool connect();
  bool pause();
  bool serve();
  std::vector<Pending> take();
  void lose(std::vector<Pending> asked, const std::string& why);
  static void answer(std::vector<Pending>& asked, std::vector<Reply> replies);

  Url url_;
  Limits limits_;
  std::vector<std::function<void(bool up)>> listeners_;
  std::unique_ptr<Connection> connection_;
  Duration pause_;
  bool said_ = false;  // that it is away

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable changed_;
  std::deque<Pending> queue_;
  std::size_t waiting_ = 0;  // commands in it
  bool stopping_ = false;
  std::atomic<bool> up_{false};

  prometheus::Gauge& upGauge_;
  prometheus::Counter& answered_;
  prometheus::Counter& refused_;
  prometheus::Counter& lost_;
  prometheus::Counter& away_;
  prometheus::Histogram& seconds_;
  std::thread thread_;
};

}  // namespace tipflow::redis
