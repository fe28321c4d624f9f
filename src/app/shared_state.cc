#include "app/shared_state.h"

#include <drogon/utils/coroutine.h>

#include "app/periodic.h"
#include "platform/http/signature.h"
#include "platform/log.h"
#include "platform/redis/redis_bus.h"
#include "platform/redis/redis_cache.h"
#include "platform/redis/redis_lock.h"
#include "platform/redis/redis_nonces.h"
#include "platform/redis/revocation_exchange.h"

namespace tipflow::app {
namespace {

constexpr std::size_t kCacheEntries = 1'000'000;
constexpr std::size_t kNonces = 1'000'000;
constexpr Duration kFirstWait{1 * kUsPerSecond};
constexpr Duration kExchangeEvery{3 * kUsPerSecond};

}  // namespace

struct SharedState::Shared {
  Shared(const std::string& url, Metrics& metrics) : client(redis::Url::parse(url), metrics) {}

  redis::Client client;
  redis::RedisBus* bus = nullptr;
  std::unique_ptr<redis::RevocationExchange> revocations;
};

SharedState::SharedState(const Config& config, const std::string& process, const Clock& clock,
                         Metrics& metrics)
    : ownNonces_(std::make_unique<LocalNonces>(clock, http::kNonceLifetime, kNonces)) {
  if (config.redisUrl.empty()) {
    auto cache = std::make_unique<LocalCache>(clock, kCacheEntries);
    cache->measure(metrics.cache("shared"));
    cache_ = std::move(cache);
    bus_ = std::make_unique<LocalBus>();
    lock_ = std::make_unique<LocalLock>(clock);
    nonces_ = ownNonces_.get();
    revocations_ = std::make_unique<Revocations>(clock, *bus_);
    return;
  }
  shared_ = std::make_unique<Shared>(config.redisUrl, metrics);
  auto& client = shared_->client;
  auto cache = std::make_unique<redis::RedisCache>(client);
  cache->measure(metrics.cache("shared"));
  cache_ = std::move(cache);
  auto bus = std::make_unique<redis::RedisBus>(client, process, metrics);
  shared_->bus = bus.get();
  bus_ = std::move(bus);
  lock_ = std::make_unique<redis::RedisLock>(client);
  sharedNonces_ =
      std::make_unique<redis::RedisNonces>(client, *ownNonces_, clock, http::kNonceLifetime);
  nonces_ = sharedNonces_.get();
  revocations_ = std::make_unique<Revocations>(clock, *bus_);
  shared_->revocations =
      std::make_unique<redis::RevocationExchange>(client, *bus_, *revocations_, clock);
}

SharedState::~SharedState() { stop(); }

void SharedState::load(const std::string& dataDir) {
  revocations_->keepIn(dataDir + "/revoked-tokens");
  ownNonces_->keepIn(dataDir + "/nonces-ahead");
  if (!shared_) return;
  shared_->client.start();
  if (!shared_->client.waitUntilUp(kFirstWait)) {
    log::warn("platform",
              "started without Redis: tokens that were logged out elsewhere are not known yet");
    return;
  }
  drogon::sync_wait(shared_->revocations->exchange());
}

void SharedState::start(schedule::Jobs& jobs) {
  if (!shared_) return;
  shared_->bus->start();
  runPeriodically(jobs,
                  {"token_revocations", "platform", kExchangeEvery,
                   [this]() -> drogon::Task<> { co_await shared_->revocations->exchange(); }});
}

void SharedState::stop() {
  if (!shared_) return;
  shared_->bus->stop();
  shared_->client.stop();
}

std::optional<http::Probe> SharedState::probe() {
  if (!shared_) return std::nullopt;
  return [this]() -> http::Task<http::ReadinessCheck> {
    const auto& client = shared_->client;
    const bool up = client.up();
    co_return http::ReadinessCheck{"redis", up, up ? client.url().shown() : "does not answer",
                                   false};
  };
}

}  // namespace tipflow::app
