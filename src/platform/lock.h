// A lock between nodes that saves work and never protects data: what must not be done twice carries
// a fence in the database as well.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "base/time.h"

namespace tipflow {

class Lock {
 public:
  virtual ~Lock() = default;
  /// Takes or renews `name` for `owner`; false when somebody else holds it.
  virtual bool acquire(const std::string& name, const std::string& owner, Duration lifetime) = 0;
  virtual void release(const std::string& name, const std::string& owner) = 0;
};

class LocalLock final : public Lock {
 public:
  explicit LocalLock(const Clock& clock) : clock_(clock) {}

  bool acquire(const std::string& name, const std::string& owner, Duration lifetime) override {
    const std::lock_guard lock(mutex_);
    auto& held = held_[name];
    if (held.owner != owner && clock_.now() < held.until) return false;
    held = {owner, clock_.now() + lifetime};
    return true;
  }
  void release(const std::string& name, const std::string& owner) override {
    const std::lock_guard lock(mutex_);
    if (const auto found = held_.find(name); found != held_.end() && found->second.owner == owner) {
      held_.erase(found);
    }
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
