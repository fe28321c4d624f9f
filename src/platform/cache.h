// A cache shared by the nodes: values that may be lost at any time. In process here; entries
// expire, and the whole is bounded.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/time.h"
#include "platform/metrics.h"

namespace tipflow {

class Cache {
 public:
  virtual ~Cache() = default;
  virtual std::optional<std::string> get(const std::string& key) = 0;
  virtual void set(const std::string& key, std::string value, Duration lifetime) = 0;
  /// True when the key was free and is now taken (Redis: SET NX).
  virtual bool setIfAbsent(const std::string& key, std::string value, Duration lifetime) = 0;
  virtual void remove(const std::string& key) = 0;
};

class LocalCache final : public Cache {
 public:
  LocalCache(const Clock& clock, std::size_t most) : clock_(clock), most_(most) {}

  std::optional<std::string> get(const std::string& key) override;
  void set(const std::string& key, std::string value, Duration lifetime) override;
  bool setIfAbsent(const std::string& key, std::string value, Duration lifetime) override;
  void remove(const std::string& key) override;
  /// Before it is used.
  void measure(CacheCounters counters) { counters_ = counters; }

 private:
  struct Entry {
    std::string value;
    std::multimap<Time, std::string>::iterator expiry;
  };
  void put(const std::string& key, std::string value, Duration lifetime);
  void erase(const std::string& key);
  void dropExpired();

  const Clock& clock_;
  std::size_t most_;
  std::mutex mutex_;
  std::unordered_map<std::string, Entry> entries_;
  std::multimap<Time, std::string> byExpiry_;
  CacheCounters counters_;
};

}  // namespace tipflow
