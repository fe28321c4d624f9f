// A cache shared by the nodes: values that may be lost at any time, and an outage is a miss. In
// process here; in Redis: platform/redis/redis_cache.h.
#pragma once

#include <drogon/utils/coroutine.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>

#include "base/time.h"
#include "platform/metrics.h"

namespace tipflow {

/// None of it throws. A key holds a text or a hash of named fields, and is gone when the lifetime
/// that was given last is over. Asked for as the other, it is missing.
class Cache {
 public:
  virtual ~Cache() = default;
  virtual drogon::Task<std::optional<std::string>> get(std::string key) = 0;
  /// Whatever the key held before.
  virtual drogon::Task<> set(std::string key, std::string value, Duration lifetime) = 0;
  /// True when the key was free and is now taken. True as well when the cache is away: it saves
  /// work, and what must not happen twice cannot rest on it.
  virtual drogon::Task<bool> setIfAbsent(std::string key, std::string value, Duration lifetime) = 0;
  virtual drogon::Task<> remove(std::string key) = 0;

  virtual drogon::Task<> setField(std::string key, std::string field, std::string value,
                                  Duration lifetime) = 0;
  /// Empty when there is no such hash.
  virtual drogon::Task<std::map<std::string, std::string>> fields(std::string key) = 0;
  /// Adds to fields that hold integers, or to 0; what would not fit 64 bits is left as it was.
  virtual drogon::Task<> addTo(std::string key, std::map<std::string, std::int64_t> amounts,
                               Duration lifetime) = 0;
};

class LocalCache final : public Cache {
 public:
  /// At most `most` keys and fields; what would end first gives way.
  LocalCache(const Clock& clock, std::size_t most) : clock_(clock), most_(most) {}

  drogon::Task<std::optional<std::string>> get(std::string key) override;
  drogon::Task<> set(std::string key, std::string value, Duration lifetime) override;
  drogon::Task<bool> setIfAbsent(std::string key, std::string value, Duration lifetime) override;
  drogon::Task<> remove(std::string key) override;
  drogon::Task<> setField(std::string key, std::string field, std::string value,
                          Duration lifetime) override;
  drogon::Task<std::map<std::string, std::string>> fields(std::string key) override;
  drogon::Task<> addTo(std::string key, std::map<std::string, std::int64_t> amounts,
                       Duration lifetime) override;
  /// Before it is used.
  void measure(CacheCounters counters) { counters_ = counters; }

 private:
  using Fields = std::map<std::string, std::string>;
  struct Entry {
    std::variant<std::string, Fields> value;
    std::multimap<Time, std::string>::iterator expiry;
  };
  using Entries = std::unordered_map<std::string, Entry>;

  void put(const std::string& key, std::string value, Duration lifetime);
  Fields* hashOf(const std::string& key, Duration lifetime);
  void setOne(Fields& hash, const std::string& field, std::string value);
  void makeRoom(std::size_t cells);
  void erase(const std::string& key);
  void dropExpired();

  const Clock& clock_;
  std::size_t most_;
  std::mutex mutex_;
  Entries entries_;
  std::multimap<Time, std::string> byExpiry_;
  std::size_t cells_ = 0;  // keys and fields
  CacheCounters counters_;
};

}  // namespace tipflow
