#include "platform/cache.h"

#include <charconv>

namespace tipflow {
namespace {

// The field and its sum, where the field holds an integer and the sum is one.
std::optional<std::string> sumOf(const std::string& field, std::int64_t amount) {
  std::int64_t held = 0;
  const auto* last = field.data() + field.size();
  const auto [end, error] = std::from_chars(field.data(), last, held);
  if (error != std::errc{} || end != last) return std::nullopt;
  std::int64_t sum = 0;
  if (__builtin_add_overflow(held, amount, &sum)) return std::nullopt;
  return std::to_string(sum);
}

}  // namespace

drogon::Task<std::optional<std::string>> LocalCache::get(std::string key) {
  const std::lock_guard lock(mutex_);
  dropExpired();
  const auto found = entries_.find(key);
  const auto* text =
      found == entries_.end() ? nullptr : std::get_if<std::string>(&found->second.value);
  if (text == nullptr) {
    counters_.miss();
    co_return std::nullopt;
  }
  counters_.hit();
  co_return *text;
}

drogon::Task<> LocalCache::set(std::string key, std::string value, Duration lifetime) {
  const std::lock_guard lock(mutex_);
  dropExpired();
  put(key, std::move(value), lifetime);
  co_return;
}

drogon::Task<bool> LocalCache::setIfAbsent(std::string key, std::string value, Duration lifetime) {
  const std::lock_guard lock(mutex_);
  dropExpired();
  if (entries_.contains(key)) co_return false;
  put(key, std::move(value), lifetime);
  co_return true;
}

drogon::Task<> LocalCache::remove(std::string key) {
  const std::lock_guard lock(mutex_);
  erase(key);
  co_return;
}

drogon::Task<> LocalCache::setField(std::string key, std::string field, std::string value,
                                    Duration lifetime) {
  const std::lock_guard lock(mutex_);
  dropExpired();
  if (auto* hash = hashOf(key, lifetime)) setOne(*hash, field, std::move(value));
  makeRoom(0);
  co_return;
}

drogon::Task<std::map<std::string, std::string>> LocalCache::fields(std::string key) {
  const std::lock_guard lock(mutex_);
  dropExpired();
  const auto found = entries_.find(key);
  const auto* hash = found == entries_.end() ? nullptr : std::get_if<Fields>(&found->second.value);
  if (hash == nullptr) {
    counters_.miss();
    co_return Fields{};
  }
  counters_.hit();
  co_return *hash;
}

drogon::Task<> LocalCache::addTo(std::string key, std::map<std::string, std::int64_t> amounts,
                                 Duration lifetime) {
  const std::lock_guard lock(mutex_);
  dropExpired();
  auto* hash = amounts.empty() ? nullptr : hashOf(key, lifetime);
  if (hash == nullptr) co_return;
  for (const auto& [field, amount] : amounts) {
    const auto held = hash->find(field);
    auto sum = held == hash->end() ? std::to_string(amount) : sumOf(held->second, amount);
    if (sum) setOne(*hash, field, *std::move(sum));
  }
  makeRoom(0);
}

void LocalCache::put(const std::string& key, std::string value, Duration lifetime) {
  erase(key);
  makeRoom(1);
  const auto expiry = byExpiry_.emplace(clock_.now() + lifetime, key);
  entries_.emplace(key, Entry{std::move(value), expiry});
  ++cells_;
}

// The hash under the key with its new lifetime, made when it is not there; nullptr when the key
// holds a text.
LocalCache::Fields* LocalCache::hashOf(const std::string& key, Duration lifetime) {
  auto found = entries_.find(key);
  const auto expires = clock_.now() + lifetime;
  if (found == entries_.end()) {
    found = entries_.emplace(key, Entry{Fields{}, byExpiry_.emplace(expires, key)}).first;
    ++cells_;
  } else if (!std::holds_alternative<Fields>(found->second.value)) {
    return nullptr;
  } else {
    byExpiry_.erase(found->second.expiry);
    found->second.expiry = byExpiry_.emplace(expires, key);
  }
  return &std::get<Fields>(found->second.value);
}

void LocalCache::setOne(Fields& hash, const std::string& field, std::string value) {
  if (hash.insert_or_assign(field, std::move(value)).second) ++cells_;
}

void LocalCache::makeRoom(std::size_t cells) {
  while (cells_ + cells > most_ && !byExpiry_.empty()) {
    erase(std::string(byExpiry_.begin()->second));
  }
}

void LocalCache::erase(const std::string& key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return;
  const auto* hash = std::get_if<Fields>(&found->second.value);
  cells_ -= 1 + (hash != nullptr ? hash->size() : 0);
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
