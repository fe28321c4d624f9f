#include "platform/http/operations.h"

#include "platform/embedded.h"

namespace tipflow::http {
namespace {

struct ShownCheck {
  std::string name;
  std::string status;
  std::string detail;
};
BOOST_DESCRIBE_STRUCT(ShownCheck, (), (name, status, detail))

struct Readiness {
  std::string status;
  std::vector<ShownCheck> checks;
};
BOOST_DESCRIBE_STRUCT(Readiness, (), (status, checks))

struct Version {
  std::string version;
  std::string commit;
  std::string built;
  std::vector<std::string> roles;
};
BOOST_DESCRIBE_STRUCT(Version, (), (version, commit, built, roles))

struct Ping {
  std::string node;
  std::vector<std::string> roles;
};
BOOST_DESCRIBE_STRUCT(Ping, (), (node, roles))

ResponsePtr embedded(const char* path, const char* type) {
  auto response = drogon::HttpResponse::newHttpResponse();
  response->setBody(std::string(embeddedFiles().at(path)));
  response->setContentTypeString(type);
  return response;
}

}  // namespace

Task<ResponsePtr> Operations::ready(Call&) {
  Readiness readiness;
  bool up = !draining_;
  if (draining_) readiness.checks.push_back({"node", "down", "is leaving"});
  for (const auto& probe : probes_) {
    const auto check = co_await probe();
    up = up && (check.up || !check.needed);
    readiness.checks.push_back({check.name, check.up ? "up" : "down", check.detail});
  }
  readiness.status = up ? "ready" : "not_ready";
  auto response = jsonResponse(up ? 200 : 503, json::toText(readiness));
  if (!up) response->addHeader("Retry-After", "1");
  co_return response;
}

void Operations::addRoutes(Router& router) {
  const auto add = [&](const char* path, std::function<Task<ResponsePtr>(Call&)> handler) {
    router.add({Method::get, path, Access::anyone(), std::move(handler), Signing::none, kBodyLimit,
                "platform"});
  };
  add("/livez",
      [](Call&) -> Task<ResponsePtr> { co_return jsonResponse(200, R"({"status":"up"})"); });
  add("/readyz", [this](Call& call) { return ready(call); });
  add("/metrics", [this](Call&) -> Task<ResponsePtr> {
    auto response = drogon::HttpResponse::newHttpResponse();
    response->setBody(metrics_.text());
    response->setContentTypeString("text/plain; version=0.0.4; charset=utf-8");
    co_return response;
  });
  add("/version", [this](Call&) -> Task<ResponsePtr> {
    co_return ok(Version{facts_.version, facts_.commit, facts_.built, facts_.roles});
  });
  add("/openapi.yaml", [](Call&) -> Task<ResponsePtr> {
    co_return embedded("api/openapi.yaml", "application/yaml; charset=utf-8");
  });
  add("/openapi.json", [](Call&) -> Task<ResponsePtr> {
    co_return embedded("api/openapi.json", "application/json; charset=utf-8");
  });
  add("/docs", [](Call&) -> Task<ResponsePtr> {
    co_return embedded("api/docs.html", "text/html; charset=utf-8");
  });
  router.add({Method::get, "/internal/v1/ping", Access::nodes(),
              [this](Call&) -> Task<ResponsePtr> { co_return ok(Ping{facts_.node, facts_.roles}); },
              Signing::none, kBodyLimit, "platform"});
}

}  // namespace tipflow::http
