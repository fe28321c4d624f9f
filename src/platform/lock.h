// A lock between nodes that saves work and never protects data: what must not be done twice carries
// a fence in the database as well. In process here; in Redis: platform/redis/redis_lock.h.
#pragma once

#include <drogon/utils/coroutine.h>

#include <map>
#include <mutex>
#include <string>

#include "base/time.h"

namespace tipflow {

class Lock {
 public:
  virtual ~Lock() = default;
  /// Takes or renews `name` for `owner`; false when somebody else holds it. Never throws; true as
  /// well when nobody can be asked, so that the work goes on.
  virtual drogon::Task<bool> acquire(std::string name, std::string owner, Duration lifetime) = 0;
  /// Gives it up, if `owner` holds it.
  virtual drogon::Task<> release(std::string name, std::string owner) = 0;
};

class LocalLock final : public Lock {
 public:
  explicit LocalLock(const Clock& clock) : clock_(clock) {}

  drogon::Task<bool> acquire(std::string name, std::string owner, Duration lifetime) override {
    const std::lock_guard lock(mutex_);
    auto& held = held_[name];
    if (held.owner != owner && clock_.now() < held.until) co_return false;
    held = {std::move(owner), clock_.now() + lifetime};
    co_return true;
  }
  drogon::Task<> release(std::string name, std::string owner) override {
    const std::lock_guard lock(mutex_);
    if (const auto found = held_.find(name); found != held_.end() && found->second.owner == owner) {
      held_.erase(found);
    }
    co_return;
  }

 private:
  struct Held {
    std::string owner;
    Time until;
  };
  const Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, Held> held_;
};

}  // namespace tipflow
