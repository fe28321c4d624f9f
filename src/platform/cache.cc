#include "platform/cache.h"

namespace tipflow {

std::optional<std::string> LocalCache::get(const std::string& key) {
  const std::lock_guard lock(mutex_);
  dropExpired();
  const auto found = entries_.find(key);
  if (found == entries_.end()) {
    counters_.miss();
    return std::nullopt;
  }
  counters_.hit();
  return found->second.value;
}

void LocalCache::set(const std::string& key, std::string value, Duration lifetime) {
  const std::lock_guard lock(mutex_);
  dropExpired();
  put(key, std::move(value), lifetime);
}

bool LocalCache::setIfAbsent(const std::string& key, std::string value, Duration lifetime) {
  const std::lock_guard lock(mutex_);
  dropExpired();
  if (entries_.contains(key)) return false;
  put(key, std::move(value), lifetime);
  return true;
}

void LocalCache::remove(const std::string& key) {
  const std::lock_guard lock(mutex_);
  erase(key);
}

void LocalCache::put(const std::string& key, std::string value, Duration lifetime) {
  erase(key);
  // Full: what would expire first goes first.
  if (entries_.size() >= most_ && !byExpiry_.empty()) erase(std::string(byExpiry_.begin()->second));
  const auto expiry = byExpiry_.emplace(clock_.now() + lifetime, key);
  entries_.emplace(key, Entry{std::move(value), expiry});
}

void LocalCache::erase(const std::string& key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return;
  byExpiry_.erase(found->second.expiry);
  entries_.erase(found);
}

void LocalCache::dropExpired() {
  const Time now = clock_.now();
  while (!byExpiry_.empty() && byExpiry_.begin()->first <= now) {
    erase(std::string(byExpiry_.begin()->second));
  }
}

}  // namespace tipflow
