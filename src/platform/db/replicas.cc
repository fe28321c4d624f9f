#include "platform/db/replicas.h"

#include <algorithm>

#include "platform/db/dialect.h"
#include "platform/log.h"
#include "platform/thread_name.h"

namespace tipflow::db {
namespace {

using std::chrono::steady_clock;

// A replica that does not answer holds up a read for this long; then the primary is asked.
constexpr Duration kReplicaAnswer{3 * kUsPerSecond};
constexpr Duration kProbeAnswer{2 * kUsPerSecond};
constexpr Duration kMostOften{50'000};
constexpr Duration kMostRarely{500'000};
// What is measured is at most the age of the row and of the measurement: half of the limit.
constexpr int kMeasurementsALimit = 5;

constexpr const char* kMake = "INSERT INTO replica_heartbeat (id, at) VALUES (1, ?)";
// Whichever node comes first: however many there are, the row is written once an interval.
constexpr const char* kBeat = "UPDATE replica_heartbeat SET at = ? WHERE id = 1 AND at < ?";

}  // namespace

Replicas::Replica::Replica(const Database& primary, const Url& url, const ReplicaLimits& limits,
                           int number)
    : pool(primary.name() + "r" + std::to_string(number), url,
           {.threads = limits.threads, .answerTimeout = kReplicaAnswer}) {}

Replicas::Replicas(const Database& primary, const std::vector<Url>& urls, ReplicaLimits limits,
                   Metrics& metrics)
    : primary_(primary),
      limits_(limits),
      every_(std::clamp(limits.lag / kMeasurementsALimit, kMostOften, kMostRarely)) {
  for (const auto& url : urls) {
    const int number = static_cast<int>(replicas_.size()) + 1;
    auto& replica =
        *replicas_.emplace_back(std::make_unique<Replica>(primary, url, limits, number));
    const Labels labels{{"database", primary.name()}, {"replica", std::to_string(number)}};
    auto& lag = metrics.gauge("tipflow_database_replica_lag_seconds",
                              "How far a replica was behind when it was last measured.", labels);
    auto& read = metrics.gauge("tipflow_database_replica_read",
                               "1 while reads go to the replica, else 0.", labels);
    metrics.beforeCollect([this, &replica, &lag, &read] {
      const std::lock_guard lock(mutex_);
      const auto shown = replica.lag.value_or(Duration{0});
      lag.Set(static_cast<double>(shown.count()) / static_cast<double>(kUsPerSecond));
      read.Set(fresh(replica, steady_clock::now()) ? 1 : 0);
    });
  }
}

Replicas::~Replicas() { stop(); }

void Replicas::start() {
  for (auto& replica : replicas_) {
    replica->thread = std::thread([this, &each = *replica] { watch(each); });
  }
}

void Replicas::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (auto& replica : replicas_) {
    if (replica->thread.joinable()) replica->thread.join();
  }
}

Database* Replicas::choose() {
  const std::lock_guard lock(mutex_);
  const auto now = steady_clock::now();
  for (std::size_t i = 0; i < replicas_.size(); ++i) {
    auto& replica = *replicas_[next_++ % replicas_.size()];
    if (fresh(replica, now)) return &replica.pool;
  }
  return nullptr;
}

void Replicas::failed(const Database& pool) {
  const std::lock_guard lock(mutex_);
  for (auto& replica : replicas_) {
    if (&replica->pool != &pool) continue;
    replica->usable = false;
    replica->detail = "a read of it failed";
  }
}

std::vector<ReplicaState> Replicas::states() const {
  const std::lock_guard lock(mutex_);
  const auto now = steady_clock::now();
  std::vector<ReplicaState> states;
  for (const auto& replica : replicas_) {
    const bool read = fresh(*replica, now);
    std::string why = read ? "" : replica->usable ? "is too far behind" : replica->detail;
    states.push_back({replica->pool.url().shown(), read, replica->lag, std::move(why)});
  }
  return states;
}

// What it held when it was measured may be all that it holds now.
bool Replicas::fresh(const Replica& replica, SteadyTime now) const {
  return replica.usable && *replica.lag + (now - replica.measuredAt) < limits_.lag;
}

void Replicas::watch(Replica& replica) {
  nameThread("replica");
  std::unique_ptr<Connection> primary;
  std::unique_ptr<Connection> connection;
  bool away = false;
  for (;;) {
    try {
      if (!primary) {
        primary = primary_.connect(kProbeAnswer);
        primary->exec(kMake + orKeep(primary->dialect(), "id"), {primary->now()});
      }
      if (!connection) connection = replica.pool.connect(kProbeAnswer);
      measure(replica, *primary, *connection);
      if (std::exchange(away, false)) {
        log::info("platform", "a replica answers again",
                  log::field("replica", replica.pool.url().shown()));
      }
    } catch (const std::exception& error) {
      primary.reset();
      connection.reset();
      const std::lock_guard lock(mutex_);
      replica.usable = false;
      replica.detail = error.what();
      if (!std::exchange(away, true)) {
        log::warn("platform", "cannot measure how far a replica is behind, it is not read",
                  log::field("replica", replica.pool.url().shown()),
                  log::field("error", std::string_view(error.what())));
      }
    }
    std::unique_lock lock(mutex_);
    if (wake_.wait_for(lock, every_, [this] { return stopping_; })) return;
  }
}

void Replicas::measure(Replica& replica, Connection& primary, Connection& connection) {
  const auto asked = steady_clock::now();
  const Time now = primary.now();
  primary.exec(kBeat, {now, now - every_ / 2});
  std::optional<Time> at;
  connection.query("SELECT at FROM replica_heartbeat WHERE id = 1", {},
                   [&](const Row& row) { at = row.time(0); });
  if (!at) throw Error(0, "the replica has not got the heartbeat yet");
  const std::lock_guard lock(mutex_);
  replica.lag = std::max(Duration{0}, now - *at);
  replica.measuredAt = asked;
  replica.usable = true;
}

}  // namespace tipflow::db
