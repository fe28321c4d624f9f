// What this machine allows, for the figures of the benchmarks to stand beside: the same web server
// with an empty handler, one plain INSERT each, multi-row INSERTs. Nothing of Tipflow's own path.
#include <drogon/HttpAppFramework.h>
#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <thread>
#include <vector>

#include "platform/db/connection.h"
#include "platform/security/crypto.h"

namespace {

using namespace tipflow;
using Clock = std::chrono::steady_clock;

/// Answers every tip with the body a real answer has, and the load generator's preparations with
/// what they need to see.
int emptyHandler(int port, int threads) {
  auto& app = drogon::app();
  const auto answer = [](const char* path, const char* method, int status, std::string body) {
    drogon::app().registerHandler(
        path,
        [status, body](const drogon::HttpRequestPtr&,
                       std::function<void(const drogon::HttpResponsePtr&)>&& callback) {
          auto response = drogon::HttpResponse::newHttpResponse(
              static_cast<drogon::HttpStatusCode>(status), drogon::CT_APPLICATION_JSON);
          response->setBody(body);
          callback(response);
        },
        {std::string(method) == "post" ? drogon::Post : drogon::Get});
  };
  const std::string session =
      R"("token":"t.t.t","expiresAt":"2099-01-01T00:00:00.000Z","signingKey":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")";
  answer("/livez", "get", 200, R"({"status":"up"})");
  answer("/readyz", "get", 200, R"({"status":"ready","checks":[]})");
  answer("/api/v1/anchors", "post", 201, R"({"id":1,"roomId":1000001})");
  answer("/api/v1/auth/login", "post", 200,
         fmt::format(R"({{{},"kind":"anchor","id":1,"role":"anchor"}})", session));
  answer("/api/v1/rooms", "get", 200,
         R"({"items":[{"id":1000001,"anchorId":1,"state":"live"}],"nextPageToken":null})");
  answer("/api/v1/rooms/1000001/open", "post", 200,
         R"({"id":1000001,"anchorId":1,"state":"live"})");
  answer("/api/v1/viewers", "post", 201, R"({"id":1})");
  answer("/api/v1/viewers/guests", "post", 201,
         fmt::format(R"({{"viewer":{{"id":1}},{}}})", session));
  answer(
      "/api/v1/tips", "post", 201,
      R"({"tipId":8589934593,"traceId":"0192f3a4b5c67d8e9fa0b1c2d3e4f506","status":"created","acceptedAt":"2026-11-22T11:41:49.895Z"})");
  app.setThreadNum(static_cast<std::size_t>(threads))
      .enableServerHeader(false)
      .setLogLevel(trantor::Logger::kWarn)
      .addListener("127.0.0.1", static_cast<std::uint16_t>(port))
      .run();
  return 0;
}

constexpr const char* kTable = R"(
  CREATE TABLE %s (tip_id BIGINT NOT NULL PRIMARY KEY, trace_id BINARY(16) NOT NULL,
  viewer_id BIGINT NOT NULL, room_id BIGINT NOT NULL, anchor_id BIGINT NOT NULL,
  session_id BIGINT NOT NULL, amount BIGINT NOT NULL, gift_id INT NOT NULL, gift_count INT NOT NULL,
  anchor_gender TINYINT NOT NULL, viewer_gender TINYINT NOT NULL, accepted_at BIGINT NOT NULL,
  message VARCHAR(200) NOT NULL, UNIQUE (trace_id)))";

/// What the loop of INSERTs is asked for.
struct InsertPlan {
  std::string url;
  int connections = 1;
  int rows = 1;  ///< a statement
  int seconds = 1;
  bool randomIds = false;  ///< else time-ordered ones, as every client of ours makes them
};

TraceId newId(const InsertPlan& plan, Time now, Random& random) {
  if (plan.randomIds) return {random.bits(), random.bits()};
  return TraceId::make(now, random);
}

/// So many threads insert so many rows a statement into a fresh table of the tips' shape (with its
/// two unique keys only); prints rows a second.
int insertLoop(const InsertPlan& plan) {
  const auto parsed = db::Url::parse(plan.url);
  const auto table = fmt::format("ceiling_{}", Clock::now().time_since_epoch().count());
  {
    std::string sql = kTable;
    sql.replace(sql.find("%s"), 2, table);
    db::connect(parsed)->exec(sql);
  }
  std::atomic<std::int64_t> next{1};
  std::atomic<std::int64_t> done{0};
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < plan.connections; ++i) {
    threads.emplace_back([&] {
      const auto connection = db::connect(parsed);
      crypto::SystemRandom random;
      const auto head = fmt::format(
          "INSERT INTO {} (tip_id, trace_id, viewer_id, room_id, anchor_id, session_id, amount, "
          "gift_id, gift_count, anchor_gender, viewer_gender, accepted_at, message)",
          table);
      std::vector<db::Param> values;
      while (!stop) {
        const auto first = next.fetch_add(plan.rows);
        const Time now = SystemClock{}.now();
        values.clear();
        for (int r = 0; r < plan.rows; ++r) {
          values.insert(values.end(),
                        {first + r, newId(plan, now, random), random.below(300'000),
                         random.below(100), random.below(100), 1, 990, 3, 1, 1, 2, now, ""});
        }
        connection->insertRows(head, 13, values, "");
        done += plan.rows;
      }
    });
  }
  const auto started = Clock::now();
  std::this_thread::sleep_for(std::chrono::seconds(plan.seconds));
  stop = true;
  for (auto& thread : threads) thread.join();
  const double took = std::chrono::duration<double>(Clock::now() - started).count();
  std::cout << static_cast<std::int64_t>(static_cast<double>(done.load()) / took) << '\n';
  db::connect(parsed)->exec("DROP TABLE " + table);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  crypto::initialise();
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() == 3 && arguments[0] == "empty-handler") {
    return emptyHandler(std::stoi(arguments[1]), std::stoi(arguments[2]));
  }
  const bool randomIds = arguments.size() == 6 && arguments[5] == "random";
  if ((arguments.size() == 5 || randomIds) && arguments[0] == "insert-loop") {
    return insertLoop({.url = arguments[1],
                       .connections = std::stoi(arguments[2]),
                       .rows = std::stoi(arguments[3]),
                       .seconds = std::stoi(arguments[4]),
                       .randomIds = randomIds});
  }
  std::cerr << "usage: tipflow_ceilings empty-handler PORT THREADS\n"
               "       tipflow_ceilings insert-loop URL CONNECTIONS ROWS SECONDS [random]\n";
  return 2;
}
