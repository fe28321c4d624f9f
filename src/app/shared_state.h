// What nodes share besides the databases: cache, bus, locks, nonces, logged-out tokens. In Redis
// where `redis.url` says so, else in the process; nothing else in the program knows which.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "platform/bus.h"
#include "platform/cache.h"
#include "platform/config.h"
#include "platform/http/operations.h"
#include "platform/lock.h"
#include "platform/metrics.h"
#include "platform/nonces.h"
#include "platform/schedule/jobs.h"
#include "platform/security/revocations.h"

namespace tipflow::app {

class SharedState {
 public:
  /// `process`: 32 characters that no other process has.
  SharedState(const Config& config, const std::string& process, const Clock& clock,
              Metrics& metrics);
  ~SharedState();

  [[nodiscard]] Cache& cache() { return *cache_; }
  [[nodiscard]] Bus& bus() { return *bus_; }
  [[nodiscard]] Lock& lock() { return *lock_; }
  [[nodiscard]] Nonces& nonces() { return *nonces_; }
  [[nodiscard]] Revocations& revocations() { return *revocations_; }

  /// Before requests come: what the last process left in `dataDir`, and what the other nodes know
  /// of logged-out tokens, if they can be asked. Throws std::runtime_error.
  void load(const std::string& dataDir);
  /// Once the main loop runs, and all that listens has what it works on: hears the other nodes.
  void start(schedule::Jobs& jobs);
  /// Before any of those who listen is gone: nobody is told anything any more.
  void stop();
  /// How Redis is, where there is one. Without it a node is still ready.
  [[nodiscard]] std::optional<http::Probe> probe();

 private:
  struct Shared;

  std::unique_ptr<LocalNonces> ownNonces_;
  std::unique_ptr<Shared> shared_;
  std::unique_ptr<Cache> cache_;
  std::unique_ptr<Bus> bus_;
  std::unique_ptr<Lock> lock_;
  std::unique_ptr<Nonces> sharedNonces_;
  Nonces* nonces_ = nullptr;
  std::unique_ptr<Revocations> revocations_;
};

}  // namespace tipflow::app
