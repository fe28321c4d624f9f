#include "app/node.h"

#include <drogon/HttpAppFramework.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/json.hpp>
#include <thread>

#include "app/analysis_role.h"
#include "app/anchor_role.h"
#include "app/audience_role.h"
#include "app/console_role.h"
#include "app/finance_role.h"
#include "app/ground.h"
#include "app/node_metrics.h"
#include "app/node_reporter.h"
#include "app/periodic.h"
#include "app/record_keeping.h"
#include "app/room_role.h"
#include "app/settings_watch.h"
#include "app/version.h"
#include "app/watch.h"
#include "platform/embedded.h"
#include "platform/http/headers.h"
#include "platform/http/operations.h"
#include "platform/http/sign_in_routes.h"
#include "platform/log.h"
#include "room/live_rooms.h"

namespace tipflow::app {
namespace {

// Within the 10 s that a node has to leave.
constexpr Duration kAnswerLimit{2 * kUsPerSecond};
constexpr Duration kPushLimit{2 * kUsPerSecond};
constexpr Duration kRecordsLimit{1 * kUsPerSecond};
constexpr Duration kViewersLimit{2 * kUsPerSecond};
// Bodies up to here are read and answered with a problem document; larger ones are cut off.
constexpr std::size_t kLargestRead = 16 * 1024 * 1024;
constexpr std::size_t kIdleConnectionSeconds = 75;
constexpr double kTokenKeysSeconds = 1;

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
  Parts(const Config& config, std::set<std::string> roles, NodeKeys keys)
      : ground(config, std::move(roles), keys), live(ground.bus, ground.clock, ground.process) {}

  void build();
  void buildRoles(Accounts& accounts);
  void addJobs();
  void report();
  void watchItself();
  void runJobs();
  std::vector<http::Probe> probes();

  Ground ground;
  room::ReportedRooms live;
  std::unique_ptr<AnchorRole> anchor;
  std::unique_ptr<AudienceRole> audience;
  std::unique_ptr<FinanceRole> finance;
  std::unique_ptr<AnalysisRole> analysis;
  std::unique_ptr<RoomRole> room;
  std::unique_ptr<ConsoleRole> console;
  std::unique_ptr<http::Operations> operations;
  std::unique_ptr<RecordKeeping> records;
  std::unique_ptr<NodeReporter> reporter;
  std::unique_ptr<Watch> watch;
  std::unique_ptr<SettingsWatch> settings;
};

// Whom a role asks must be there before it: the directory of rooms and the way to the ledger before
// tips, tips before what sums them up.
void Node::Parts::buildRoles(Accounts& accounts) {
  Clients clients;
  ground.peers.addTo(clients);
  clients.live = &live;
  if (ground.has("anchor")) {
    anchor = std::make_unique<AnchorRole>(ground);
    clients.anchors = &anchor->directory();
  }
  if (ground.has("finance")) {
    finance = std::make_unique<FinanceRole>(ground);
    clients.finance = &finance->client();
  }
  if (ground.has("analysis")) {
    analysis = std::make_unique<AnalysisRole>(ground);
    analysis->makeClient(clients.anchors);
    clients.analysis = &analysis->client();
  }
  if (ground.has("audience")) {
    audience = std::make_unique<AudienceRole>(ground);
    audience->build(clients, accounts);
    clients.audience = &audience->tips();
  }
  if (anchor) {
    anchor->build(clients, accounts);
    clients.chat = &anchor->chat();
  }
  if (finance) finance->build(clients);
  if (analysis) analysis->build(clients);
  if (ground.has("room")) {
    room = std::make_unique<RoomRole>(ground, live);
    room->build(clients);
  }
  if (ground.has("console")) {
    console = std::make_unique<ConsoleRole>(ground);
    console->build(accounts);
  }
}

void Node::Parts::build() {
  auto& g = ground;
  Accounts accounts;
  buildRoles(accounts);
  g.front.build(g.router, g.databases(), console ? &console->operators() : nullptr, g.bus);
  records = std::make_unique<RecordKeeping>(g.config, g.has("console"),
                                            RecordSender{g.name, g.process, g.keys.cluster},
                                            g.clock, g.metrics);
  records->addRoutes(g.router);
  http::addSignInRoutes(g.router, std::move(accounts), g.peers.signIn(), g.front.logins(),
                        g.passwords, g.tokens);
  operations = std::make_unique<http::Operations>(
      http::NodeFacts{g.name, kVersion, kCommit, kBuilt, {g.roles.begin(), g.roles.end()}},
      g.metrics, probes());
  operations->addRoutes(g.router);
  addAbsentRoutes(g.router);
  addNodeMetrics(g.metrics, g.router, g.clock);
  g.measure();
  watchItself();
  report();
  addJobs();
}

void Node::Parts::addJobs() {
  auto& schedulers = ground.schedulers;
  if (anchor) schedulers.addDb1(anchor->jobs());
  if (audience) schedulers.addDb1(audience->jobs());
  if (analysis) schedulers.addDb2(analysis->jobs());
}

// What other nodes are told of this one.
void Node::Parts::report() {
  ReportedParts reported;
  if (audience) {
    reported.tipsCreated = [this] { return audience->tips().created(); };
    reported.sync = [this] { return audience->sync(); };
  }
  if (finance) reported.books = &ground.db2;
  reporter = std::make_unique<NodeReporter>(ground.clock, ground.businessTime, reported);
  reporter->addRoutes(ground.router);
}

void Node::Parts::watchItself() {
  auto& g = ground;
  WatchedParts watched{g.config, g.clock, g.name, g.metrics, g.router, g.jobs, g.durability};
  watched.databases = g.usedDatabases();
  watched.finance = finance ? &finance->service() : nullptr;
  watched.sink = g.peers.console();
  if (console) watched.sink = &console->alerting().sink();
  watched.reconciles = finance && finance->service().canReconcile();
  watched.sync = [this]() -> std::optional<SyncSight> {
    if (!audience) return std::nullopt;
    return audience->sync();
  };
  watched.keys = [this] {
    std::vector<KeySight> sights;
    if (const auto madeAt = ground.tokens.newestKeyMadeAt()) {
      sights.push_back({"token key", *madeAt});
    }
    if (!finance) return sights;
    if (const auto madeAt = finance->newestKeyMadeAt()) sights.push_back({"data key", *madeAt});
    return sights;
  };
  watch = std::make_unique<Watch>(std::move(watched));
  const auto use = [this](const Config& now) {
    log::setLevel(log::levelFromWord(now.logLevel));
    watch->use(now);
  };
  if (g.usesDb2()) {
    settings = std::make_unique<SettingsWatch>(g.config, g.db2, use);
  } else if (auto* remote = g.peers.console()) {
    settings = std::make_unique<SettingsWatch>(g.config, *remote, use);
  }
}

std::vector<http::Probe> Node::Parts::probes() {
  auto probes = ground.probes();
  if (audience) probes.push_back(audience->lanesProbe());
  return probes;
}

void Node::Parts::runJobs() {
  auto& g = ground;
  drogon::app().getLoop()->runEvery(kTokenKeysSeconds,
                                    [this] { ground.tokens.useKeys(ground.keys.token.keys()); });
  runPeriodically(g.jobs, {"durability_watch", "platform", DurabilityWatch::kEvery,
                           [this] { return ground.durability.lookAgain(); }});
  if (settings) {
    runPeriodically(g.jobs, {"settings_watch", "platform", SettingsWatch::kEvery,
                             [this] { return settings->lookAgain(); }});
  }
  if (finance) finance->runJobs();
}

Node::Node(const Config& config, std::set<std::string> roles, NodeKeys keys)
    : parts_(std::make_unique<Parts>(config, std::move(roles), keys)) {
  parts_->build();
}

Node::~Node() = default;

const std::vector<http::Route>& Node::routes() const { return parts_->ground.router.routes(); }

std::string Node::start() {
  auto& p = *parts_;
  auto& g = p.ground;
  g.prepareDatabases();
  g.peers.listen(g.bus);
  g.shared.load(g.config.dataDir);
  // The console shows how far behind each replica is, also of a database it does not read.
  g.replicas.start(g.usesDb1() || p.console, g.usesDb2());
  g.front.start(g.databases());
  if (p.settings) p.settings->load();
  p.records->start();
  if (p.finance) p.finance->start();
  const auto generated = p.console ? p.console->start() : std::string{};
  if (p.anchor) p.anchor->start();
  if (p.audience) p.audience->start();
  if (p.room) p.room->start();
  return generated;
}

void Node::serve() {
  auto& p = *parts_;
  p.ground.router.install();
  auto& app = drogon::app();
  app.registerHandler("/", [](const drogon::HttpRequestPtr&,
                              std::function<void(const drogon::HttpResponsePtr&)>&& callback) {
    const auto response = drogon::HttpResponse::newRedirectionResponse("/docs");
    http::addSecurityHeaders(*response, "/");
    callback(response);
  });
  const auto threads = p.ground.config.httpThreads > 0
                           ? static_cast<std::size_t>(p.ground.config.httpThreads)
                           : std::max<std::size_t>(1, std::thread::hardware_concurrency());
  app.setThreadNum(threads)
      .setClientMaxBodySize(kLargestRead)
      .setClientMaxMemoryBodySize(http::kBatchBodyLimit + 1)
      .setUploadPath(p.ground.config.dataDir + "/tmp")
      .setIdleConnectionTimeout(kIdleConnectionSeconds)
      .enableServerHeader(false)
      .setLogLevel(trantor::Logger::kWarn)
      .setBeforeListenSockOptCallback(answerAtOnce)
      .addListener(p.ground.config.httpAddress,
                   static_cast<std::uint16_t>(p.ground.config.httpPort));
  app.disableSigtermHandling();
  app.registerBeginningAdvice([this] {
    auto& parts = *parts_;
    auto& ground = parts.ground;
    log::info("platform", "node started", log::field("version", std::string_view(kVersion)),
              log::field("port", ground.config.httpPort));
    ground.front.watch(ground.bus, ground.peers.console());
    ground.shared.start(ground.jobs);
    parts.runJobs();
    ground.schedulers.start();
    ground.peers.start(parts.probes());
    parts.reporter->start();
    parts.watch->start();
    if (parts.audience) parts.audience->sumUpOpenSessions();
  });
  app.run();
  log::info("platform", "node stopped");
  p.records->stop(kRecordsLimit);
}

void Node::drain() {
  auto& p = *parts_;
  auto& g = p.ground;
  log::info("platform", "leaving: finishing what is here");
  p.operations->drain();
  g.peers.leave();
  g.schedulers.leave();
  if (p.room) p.room->drain(kViewersLimit);
  const auto quiet = [&] {
    const Time until = g.clock.now() + kAnswerLimit;
    while (g.router.inFlight() > 0 && g.clock.now() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  };
  quiet();
  if (p.console) p.console->alerting().leave();  // until now other nodes may report to it
  if (p.audience) p.audience->stopLanes();
  quiet();  // what the lanes answered last must still be sent
  if (p.audience) p.audience->stopSync(kPushLimit);
  g.schedulers.stop();
  g.replicas.stop();
  g.shared.stop();
  drogon::app().getLoop()->queueInLoop([] { drogon::app().quit(); });
}

}  // namespace tipflow::app
