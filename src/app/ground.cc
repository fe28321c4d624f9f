#include "app/ground.h"

#include <fmt/format.h>
#include <unistd.h>

#include "platform/db/migrate.h"
#include "platform/log.h"

namespace tipflow::app {
namespace {

constexpr int kHashThreads = 2;
constexpr std::size_t kHashQueue = 256;

std::string hostName() {
  char name[256] = {};
  gethostname(name, sizeof name - 1);
  return name;
}

http::Probe probe(db::Database& db) {
  return [&db]() -> http::Task<http::ReadinessCheck> {
    http::ReadinessCheck check{db.name(), true, db.url().shown()};
    try {
      co_await db.read([](db::Connection& connection) {
        connection.query("SELECT 1", {}, [](const db::Row&) {});
        return true;
      });
    } catch (const db::Error& error) {
      check.up = false;
      check.detail = "does not answer";
    }
    co_return check;
  };
}

}  // namespace

std::string nodeName(const Config& config) {
  return config.node.empty() ? fmt::format("{}:{}", hostName(), config.httpPort) : config.node;
}

Ground::Ground(const Config& c, std::set<std::string> r, NodeKeys k)
    : config(c),
      roles(std::move(r)),
      keys(k),
      name(nodeName(c)),
      process(TraceId::make(clock.now(), random).hex()),
      shared(c, process, clock, metrics),
      peers(c, PeerIdentity{name, k.cluster, roles}, clock, random, metrics),
      db1("DB1", db::Url::parse(c.db1Url), {static_cast<int>(c.dbThreads)}),
      db2("DB2", db::Url::parse(c.db2Url), {static_cast<int>(c.dbThreads)}),
      replicas(c, db1, db2, metrics),
      schedulers({name, process}, clock, jobs,
                 {.length = Duration{c.jobsLeaseSeconds * kUsPerSecond}}),
      workers(kHashThreads, kHashQueue, "hash"),
      passwords(workers, {c.passwordMemoryKib, c.passwordPasses}),
      tokens(keys.token.keys(), clock, random, shared.revocations()),
      keyring(keys.data),
      front(c, keys.cluster, clock, metrics),
      signatures(c.requireSignature, clock, shared.nonces()),
      tracing({c.tracesPerSecond, Duration{c.slowMs * kUsPerMs}}, random),
      router({front.gate(), tokens, signatures, front.nodes()}, tracing, metrics, clock),
      businessTime(c.businessTimeZone) {}

std::vector<db::Database*> Ground::usedDatabases() {
  std::vector<db::Database*> used;
  if (usesDb1()) used.push_back(&db1);
  if (usesDb2()) used.push_back(&db2);
  return used;
}

std::vector<http::Probe> Ground::probes() {
  auto probes = peers.probes();
  for (auto* database : usedDatabases()) probes.push_back(probe(*database));
  if (auto redis = shared.probe()) probes.push_back(std::move(*redis));
  return probes;
}

void Ground::measure() {
  for (auto* database : usedDatabases()) database->measure(metrics);
  tokens.measure(metrics.cache("tokens"));
}

void Ground::prepareDatabases() {
  durability.start(usedDatabases(), config.production);
  for (const auto* database : usedDatabases()) {
    const auto connection = database->connect();
    const auto* folder = database == &db1 ? "db1" : "db2";
    for (const auto& done : db::migrate(*connection, db::embeddedMigrations(folder), clock.now())) {
      log::info("platform", "migrated", log::field("database", database->name()),
                log::field("migration", done));
    }
  }
}

}  // namespace tipflow::app
