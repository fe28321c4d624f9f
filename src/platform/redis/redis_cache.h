// The cache in Redis. Away, slow or full, it holds nothing.
#pragma once

#include "platform/cache.h"
#include "platform/redis/client.h"

namespace tipflow::redis {

class RedisCache final : public Cache {
 public:
  explicit RedisCache(Client& client) : client_(client) {}

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
  Client& client_;
  CacheCounters counters_;
};

}  // namespace tipflow::redis
