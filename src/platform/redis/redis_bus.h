// The bus between nodes: Redis PUB/SUB. This node's listeners hear their own node at once and
// without Redis. What Redis could not be told, or did not tell, is a gap, and everybody whom it
// concerns is told of it.
#pragma once

#include <atomic>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "platform/bus.h"
#include "platform/redis/client.h"

namespace tipflow::redis {

/// Channels are not divided by database as keys are.
std::string channelOf(int database, const std::string& topic);

class RedisBus final : public Bus {
 public:
  /// `process`: unique among those that use this Redis, 32 characters. Before the client is
  /// started.
  RedisBus(Client& client, std::string process, Metrics& metrics, Limits limits = {});
  ~RedisBus() override;
  RedisBus(const RedisBus&) = delete;
  RedisBus& operator=(const RedisBus&) = delete;

  void publish(const std::string& topic, std::string_view message) override;
  void subscribe(const std::string& topic, Listener listener) override;
  void onGap(Topics topics, std::function<void()> listener) override;

  /// From now on other nodes are heard. Once listeners have what they work on: the first thing they
  /// hear is a gap.
  void start();
  void stop();

 private:
  void noteLoss(const Topics& topics);
  void tellLoss();
  void work();
  void listen(Connection& connection);
  void subscribeNew(Connection& connection);
  void take(const Reply& message);
  void deliver(const std::string& channel, std::string_view message);
  void noteGap(const Topics& topics);
  void drainWake() const;
  [[nodiscard]] bool pause(Duration pause);
  [[nodiscard]] std::string channel(const std::string& topic) const;

  Client& client_;
  std::string process_;
  Limits limits_;
  LocalBus local_;

  struct GapListener {
    Topics topics;
    std::function<void()> tell;
  };
  std::mutex mutex_;
  Topics topics_;
  Topics lost_;  // of messages of this process that others did not get
  std::vector<GapListener> gapListeners_;
  std::atomic<bool> stopping_{false};

  // On the thread alone.
  Topics subscribed_;
  std::size_t unconfirmed_ = 0;

  int wake_ = -1;  // an eventfd: a new topic, or the end
  prometheus::Counter& sent_;
  prometheus::Counter& received_;
  prometheus::Counter& missed_;
  prometheus::Counter& gaps_;
  std::thread thread_;
};

}  // namespace tipflow::redis
