#include "app/node.h"

#include "app/version.h"

#include <drogon/HttpAppFramework.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <fstream>
#include <thread>

#include "anchor/routes.h"
#include "app/alerting.h"
#include "app/durability_watch.h"
#include "app/front.h"
#include "app/node_metrics.h"
#include "app/periodic.h"
#include "app/record_keeping.h"
#include "app/settings_watch.h"
#include "app/watch.h"
#include "audience/routes.h"
#include "audience/sync_driver.h"
#include "console/operators.h"
#include "finance/routes.h"
#include "platform/db/migrate.h"
#include "platform/embedded.h"
#include "platform/http/headers.h"
#include "platform/http/operations.h"
#include "platform/http/sign_in_routes.h"
#include "platform/lock.h"
#include "platform/log.h"
#include "platform/registry.h"

namespace tipflow::app {
namespace {

constexpr std::size_t kCacheEntries = 1'000'000;
constexpr int kHashThreads = 2;
constexpr unsigned kCoresForTwoLanes = 4;

// SQLite has one writer. On few cores one lane's larger statements cost a server less than two
// lanes' overlapping ones (docs/decisions/0004-where-the-time-of-a-tip-goes.md).
int defaultLanes(db::Dialect dialect) {
  if (dialect == db::Dialect::sqlite) return 1;
  return std::thread::hardware_concurrency() >= kCoresForTwoLanes ? 2 : 1;
}
constexpr std::size_t kHashQueue = 256;
// Within the 10 s that a node has to leave.
constexpr Duration kAnswerLimit{2 * kUsPerSecond};
constexpr Duration kPushLimit{2 * kUsPerSecond};
constexpr Duration kRecordsLimit{1 * kUsPerSecond};
// Bodies up to here are read and answered with a problem document; larger ones are cut off.
constexpr std::size_t kLargestRead = 16 * 1024 * 1024;
constexpr std::size_t kIdleConnectionSeconds = 75;
constexpr std::size_t kGoodPassword = 8;
constexpr Duration kFinishLease{10 * kUsPerSecond};
constexpr double kTokenKeysSeconds = 1;
constexpr Duration kResealEvery{2 * kUsPerSecond};
constexpr Duration kFinishEvery{1 * kUsPerSecond};

std::string hostName() {
  char name[256] = {};
  gethostname(name, sizeof name - 1);
  return name;
}

std::string nodeName(const Config& config) {
  return config.node.empty() ? fmt::format("{}:{}", hostName(), config.httpPort) : config.node;
}

/// Accepted sockets inherit it: an answer never waits for the acknowledgement of the one before.
void answerAtOnce(int socket) {
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

http::Task<http::ResponsePtr> roleIsAway(http::Call&) {
  throw http::Refused(ErrorCode::role_unavailable);
  co_return nullptr;
}

// What the contract holds and no role of this node serves is answered honestly.
void addAbsentRoutes(http::Router& router) {
  std::set<std::string> present;
  for (const auto& route : router.routes()) {
    present.insert(fmt::format("{} {}", http::name(route.method), route.path));
  }
  const auto contract = boost::json::parse(embeddedFiles().at("api/openapi.json"));
  for (const auto& [path, operations] : contract.at("paths").as_object()) {
    for (const auto method : {http::Method::get, http::Method::post, http::Method::put,
                              http::Method::patch, http::Method::delete_}) {
      std::string key(http::name(method));
      const auto upper = key;
      for (auto& c : key) c = static_cast<char>(std::tolower(c));
      if (!operations.as_object().contains(key)) continue;
      if (present.contains(fmt::format("{} {}", upper, std::string_view(path)))) continue;
      router.add({method, std::string(path), http::Access::anyone(), roleIsAway,
                  http::Signing::none, http::kBatchBodyLimit, "platform"});
    }
  }
}

}  // namespace

// In the order of construction; destroyed in reverse.
struct Node::Parts {
  Parts(const Config& c, std::set<std::string> r, NodeKeys k)
      : config(c),
        roles(std::move(r)),
        keys(k),
        name(nodeName(c)),
        process(TraceId::make(clock.now(), random).hex()),
        cache(clock, kCacheEntries),
        nonces(clock, http::kNonceLifetime, kCacheEntries),
        lock(clock),
        db1("DB1", db::Url::parse(c.db1Url), {static_cast<int>(c.dbThreads)}),
        db2("DB2", db::Url::parse(c.db2Url), {static_cast<int>(c.dbThreads)}),
        workers(kHashThreads, kHashQueue, "hash"),
        passwords(workers, {c.passwordMemoryKib, c.passwordPasses}),
        tokens(keys.token.keys(), clock, random, cache, bus),
        keyring(keys.data),
        front(c, keys.cluster, clock, metrics),
        signatures(c.requireSignature, clock, nonces),
        tracing({c.tracesPerSecond, Duration{c.slowMs * kUsPerMs}}, random),
        router({front.gate(), tokens, signatures, front.nodes()}, tracing, metrics, clock),
        businessTime(c.businessTimeZone) {}

  [[nodiscard]] bool has(const char* role) const { return roles.contains(role); }
  [[nodiscard]] bool usesDb1() const { return has("anchor") || has("audience"); }
  [[nodiscard]] bool usesDb2() const { return has("finance") || has("console"); }
  [[nodiscard]] Front::Databases databases() {
    return {usesDb1() ? &db1 : nullptr, usesDb2() ? &db2 : nullptr};
  }

  void build();
  void openLanes();
  void openPayoutAccounts();
  void measure();
  void watchItself();
  void runJobs();
  std::vector<http::Probe> probes();

  const Config& config;
  std::set<std::string> roles;
  NodeKeys keys;
  SystemClock clock;
  crypto::SystemRandom random;
  std::string name;
  std::string process;
  Metrics metrics;
  DurabilityWatch durability{metrics};
  schedule::Jobs jobs{metrics, clock};
  LocalCache cache;
  LocalNonces nonces;
  LocalBus bus;
  LocalLock lock;
  LocalRegistry registry;
  db::Database db1;
  db::Database db2;
  Workers workers;
  Passwords passwords;
  Tokens tokens;
  Keyring keyring;
  Front front;
  http::SignatureCheck signatures;
  Tracing tracing;
  http::Router router;
  BusinessTime businessTime;

  std::unique_ptr<anchor::Directory> rooms;
  std::unique_ptr<finance::LocalFinance> financeClient;
  std::unique_ptr<audience::ViewerDirectory> viewerDirectory;
  audience::SessionSums sessionSums;
  audience::TipTraces tipTraces{clock, random};
  audience::Lanes lanes;
  std::unique_ptr<audience::SyncDriver> sync;
  std::unique_ptr<audience::ViewerService> viewers;
  std::unique_ptr<audience::TipService> tips;
  std::unique_ptr<anchor::Service> anchors;
  std::unique_ptr<finance::SandboxProvider> provider;
  std::unique_ptr<finance::Service> finance;
  std::unique_ptr<finance::PayoutAccounts> payoutAccounts;
  std::unique_ptr<console::Operators> operators;
  std::unique_ptr<http::Operations> operations;
  std::unique_ptr<RecordKeeping> records;
  std::unique_ptr<Alerting> alerting;
  std::unique_ptr<Watch> watch;
  std::unique_ptr<SettingsWatch> settings;
};

void Node::Parts::build() {
  if (has("anchor")) rooms = std::make_unique<anchor::Directory>(db1, bus);
  if (has("finance")) financeClient = std::make_unique<finance::LocalFinance>(db2, metrics);
  std::map<PrincipalKind, AccountDirectory*> accounts;
  if (has("audience")) {
    viewerDirectory = std::make_unique<audience::ViewerDirectory>(db1, bus);
    viewers =
        std::make_unique<audience::ViewerService>(db1, *viewerDirectory, passwords, tokens, clock);
    tips = std::make_unique<audience::TipService>(
        db1, lanes, *viewerDirectory, sessionSums, rooms.get(), financeClient.get(),
        audience::TipPolicy{config.guestsMayTip, config.minorsMayTip}, tipTraces, metrics);
    audience::addRoutes(router, *viewers, *tips);
    accounts[PrincipalKind::viewer] = viewers.get();
  }
  if (has("anchor")) {
    anchors = std::make_unique<anchor::Service>(db1, *rooms, passwords, clock, financeClient.get(),
                                                tips.get());
    anchor::addRoutes(router, *anchors);
    accounts[PrincipalKind::anchor] = anchors.get();
  }
  if (has("finance")) {
    const Duration timeout{config.providerTimeoutMs * kUsPerMs};
    provider = std::make_unique<finance::SandboxProvider>(
        db2, clock,
        fromWord<finance::SandboxMode>(config.sandboxMode).value_or(finance::SandboxMode::pay),
        timeout);
    finance = std::make_unique<finance::Service>(db2, clock, *provider, businessTime, timeout,
                                                 rooms.get(), tips.get(), metrics);
    payoutAccounts = std::make_unique<finance::PayoutAccounts>(db2, clock, keyring, rooms.get());
    finance::addRoutes(router, *finance, *payoutAccounts, *provider);
  }
  if (has("console")) {
    operators = std::make_unique<console::Operators>(db2);
    accounts[PrincipalKind::operator_] = operators.get();
    alerting = std::make_unique<Alerting>(config, db2, clock, metrics, router);
  }
  front.build(router, databases(), operators.get(), bus);
  records = std::make_unique<RecordKeeping>(
      config, has("console"), RecordSender{name, process, keys.cluster}, clock, metrics);
  records->addRoutes(router);
  http::addSignInRoutes(router, std::move(accounts), front.logins(), passwords, tokens);
  operations = std::make_unique<http::Operations>(
      http::NodeFacts{name, kVersion, kCommit, kBuilt, {roles.begin(), roles.end()}}, metrics,
      probes());
  operations->addRoutes(router);
  addAbsentRoutes(router);
  measure();
  watchItself();
}

void Node::Parts::measure() {
  addNodeMetrics(metrics, router, clock);
  if (usesDb1()) db1.measure(metrics);
  if (usesDb2()) db2.measure(metrics);
  cache.measure(metrics.cache("shared"));
  tokens.measure(metrics.cache("tokens"));
  if (rooms) rooms->measure(metrics.cache("rooms"));
  if (viewerDirectory) viewerDirectory->measure(metrics.cache("viewers"));
}

void Node::Parts::watchItself() {
  WatchedParts watched{config, clock, name, metrics, router, jobs, durability};
  if (usesDb1()) watched.databases.push_back(&db1);
  if (usesDb2()) watched.databases.push_back(&db2);
  watched.finance = finance.get();
  watched.sink = alerting ? &alerting->sink() : nullptr;
  watched.reconciles = has("console") && finance && tips;
  watched.sync = [this]() -> std::optional<SyncSight> {
    if (!sync) return std::nullopt;
    const auto waiting = sync->waiting();
    return SyncSight{waiting.tips, waiting.oldest};
  };
  watched.keys = [this] {
    std::vector<KeySight> sights;
    if (const auto madeAt = tokens.newestKeyMadeAt()) sights.push_back({"token key", *madeAt});
    if (!payoutAccounts) return sights;
    if (const auto madeAt = keyring.newestKeyMadeAt()) sights.push_back({"data key", *madeAt});
    return sights;
  };
  watch = std::make_unique<Watch>(std::move(watched));
  if (!usesDb2()) return;
  settings = std::make_unique<SettingsWatch>(config, db2, [this](const Config& now) {
    log::setLevel(log::levelFromWord(now.logLevel));
    watch->use(now);
  });
}

std::vector<http::Probe> Node::Parts::probes() {
  const auto database = [](db::Database& db) -> http::Probe {
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
  };
  std::vector<http::Probe> probes;
  if (usesDb1()) probes.push_back(database(db1));
  if (usesDb2()) probes.push_back(database(db2));
  if (has("audience")) {
    probes.emplace_back([this]() -> http::Task<http::ReadinessCheck> {
      const bool up = lanes.healthy();
      co_return http::ReadinessCheck{"lanes", up, up ? "open" : "cannot write tips"};
    });
  }
  return probes;
}

void Node::Parts::openLanes() {
  const Duration lease{config.laneLeaseSeconds * kUsPerSecond};
  sync = std::make_unique<audience::SyncDriver>(db1, financeClient.get(), clock,
                                                audience::SyncIdentity{name, process, lease},
                                                tipTraces, metrics, jobs);
  audience::LaneLimits limits;
  limits.batch = static_cast<std::size_t>(config.laneBatch);
  limits.queue = static_cast<std::size_t>(config.laneQueue);
  const int count = config.lanes > 0 ? config.lanes : defaultLanes(db1.url().dialect);
  std::vector<std::unique_ptr<audience::LaneDriver>> drivers;
  for (int i = 0; i < count; ++i) {
    drivers.push_back(std::make_unique<audience::LaneDriver>(
        db1, clock, audience::LaneIdentity{name, process, lease}, limits,
        laneMetrics(metrics, i + 1),
        [this](LaneId lane, const std::vector<audience::NumberedTip>& committed, Time at) {
          sessionSums.add(committed);
          sync->onCommitted(lane, committed, at);
        }));
  }
  lanes.start(std::move(drivers));
  addLaneMetrics(metrics, lanes, config.laneQueue);
}

void Node::Parts::openPayoutAccounts() {
  keys.data.makeIfAbsent(clock.now());
  (void)keys.data.keys();  // ends the start when they cannot be used
  const auto connection = db2.connect();
  finance::store::seedPayoutAccounts(*connection);
  payoutAccounts->reportMissingKeys(*connection);
}

void Node::Parts::runJobs() {
  drogon::app().getLoop()->runEvery(kTokenKeysSeconds,
                                    [this] { tokens.useKeys(keys.token.keys()); });
  runPeriodically(jobs, {"durability_watch", "platform", DurabilityWatch::kEvery,
                         [this] { return durability.lookAgain(); }});
  if (settings) {
    runPeriodically(jobs, {"settings_watch", "platform", SettingsWatch::kEvery,
                           [this] { return settings->lookAgain(); }});
  }
  if (!finance) return;
  runPeriodically(
      jobs, {"finish_withdrawals", "finance", kFinishEvery,
             [this]() -> drogon::Task<> { co_await finance->finishPending(); },
             [this] { return lock.acquire("finance.finish-pending", process, kFinishLease); }});
  runPeriodically(jobs, {"reseal_payout_accounts", "finance", kResealEvery,
                         [this]() -> drogon::Task<> { co_await payoutAccounts->resealSome(); }});
}

Node::Node(const Config& config, std::set<std::string> roles, NodeKeys keys)
    : parts_(std::make_unique<Parts>(config, std::move(roles), keys)) {
  parts_->build();
}

Node::~Node() = default;

const std::vector<http::Route>& Node::routes() const { return parts_->router.routes(); }

std::string Node::start() {
  auto& p = *parts_;
  const auto migrateOne = [&](const db::Database& database, const char* folder) {
    const auto connection = database.connect();
    for (const auto& done :
         db::migrate(*connection, db::embeddedMigrations(folder), p.clock.now())) {
      log::info("platform", "migrated", log::field("database", database.name()),
                log::field("migration", done));
    }
  };
  std::vector<db::Database*> used;
  if (p.usesDb1()) used.push_back(&p.db1);
  if (p.usesDb2()) used.push_back(&p.db2);
  p.durability.start(std::move(used), p.config.production);
  if (p.usesDb1()) migrateOne(p.db1, "db1");
  if (p.usesDb2()) migrateOne(p.db2, "db2");
  p.tokens.keepRevocationsIn(p.config.dataDir + "/revoked-tokens");
  p.nonces.keepIn(p.config.dataDir + "/nonces-ahead");
  p.front.start(p.databases());
  if (p.settings) p.settings->load();
  p.records->start();
  std::string generated;
  if (p.has("finance")) {
    finance::store::seed(*p.db2.connect(),
                         BasisPoints{static_cast<std::int32_t>(p.config.defaultShareBp)});
    p.openPayoutAccounts();
  }
  if (p.has("console")) {
    const auto connection = p.db2.connect();
    if (!console::hasAdmin(*connection)) {
      auto password = p.config.adminPassword;
      if (!password.empty() && password.size() < kGoodPassword) {
        log::warn("console", "the password of admin is shorter than people may choose theirs");
      }
      if (password.empty()) password = crypto::toBase64Url(crypto::randomBytes(15));
      const auto hash =
          crypto::hashPassword(password, {p.config.passwordMemoryKib, p.config.passwordPasses});
      if (console::addFirstAdmin(*connection, hash, p.clock.now()) &&
          p.config.adminPassword.empty()) {
        generated = password;
      }
    }
  }
  if (p.has("anchor")) p.rooms->load();
  if (p.has("audience")) p.openLanes();
  for (const auto& role : p.roles) {
    p.registry.add(
        {p.name, role, p.config.httpAddress, static_cast<int>(p.config.httpPort), kVersion});
  }
  return generated;
}

void Node::serve() {
  auto& p = *parts_;
  p.router.install();
  auto& app = drogon::app();
  app.registerHandler("/", [](const drogon::HttpRequestPtr&,
                              std::function<void(const drogon::HttpResponsePtr&)>&& callback) {
    const auto response = drogon::HttpResponse::newRedirectionResponse("/docs");
    http::addSecurityHeaders(*response, "/");
    callback(response);
  });
  const auto threads = p.config.httpThreads > 0
                           ? static_cast<std::size_t>(p.config.httpThreads)
                           : std::max<std::size_t>(1, std::thread::hardware_concurrency());
  app.setThreadNum(threads)
      .setClientMaxBodySize(kLargestRead)
      .setClientMaxMemoryBodySize(http::kBatchBodyLimit + 1)
      .setUploadPath(p.config.dataDir + "/tmp")
      .setIdleConnectionTimeout(kIdleConnectionSeconds)
      .enableServerHeader(false)
      .setLogLevel(trantor::Logger::kWarn)
      .setBeforeListenSockOptCallback(answerAtOnce)
      .addListener(p.config.httpAddress, static_cast<std::uint16_t>(p.config.httpPort));
  app.disableSigtermHandling();
  app.registerBeginningAdvice([this] {
    auto& parts = *parts_;
    log::info("platform", "node started", log::field("version", std::string_view(kVersion)),
              log::field("port", parts.config.httpPort));
    parts.front.watch(parts.bus);
    parts.runJobs();
    parts.watch->start();
    if (parts.rooms && parts.tips) {
      // Sums of sessions that were open before this process; rooms show them once they are read.
      drogon::async_run([this]() -> drogon::Task<> {
        auto& own = *parts_;
        try {
          while (own.lanes.first() == LaneId{0})
            co_await drogon::sleepCoro(drogon::app().getLoop(), 0.05);
          const auto live = own.rooms->liveRooms();
          const auto first = own.lanes.first();
          co_await own.db1.read([&](db::Connection& connection) {
            own.sessionSums.load(connection, live, first);
            return true;
          });
        } catch (const std::exception& error) {
          log::warn("audience", "cannot sum up open sessions",
                    log::field("error", std::string_view(error.what())));
        }
      });
    }
  });
  app.run();
  log::info("platform", "node stopped");
  p.records->stop(kRecordsLimit);
}

void Node::drain() {
  auto& p = *parts_;
  log::info("platform", "leaving: finishing what is here");
  p.operations->drain();
  if (p.alerting) p.alerting->leave();
  p.registry.removeNode(p.name);
  const auto quiet = [&] {
    const Time until = p.clock.now() + kAnswerLimit;
    while (p.router.inFlight() > 0 && p.clock.now() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  };
  quiet();
  p.lanes.stop();
  quiet();  // what the lanes answered last must still be sent
  if (p.sync) p.sync->stop(kPushLimit);
  drogon::app().getLoop()->queueInLoop([] { drogon::app().quit(); });
}

}  // namespace tipflow::app
