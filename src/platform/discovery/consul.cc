#include "platform/discovery/consul.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <future>

#include "platform/log.h"

namespace tipflow {
namespace {

namespace json = boost::json;

constexpr int kWaitSeconds = 30;  // of a blocking query; Consul adds up to a sixteenth
constexpr double kAnswerSeconds = 35;
constexpr double kAgentSeconds = 2;
constexpr double kPauseSeconds = 1;  // after a query that failed
constexpr double kLookSeconds = 3;   // an agent that restarted may have forgotten us
constexpr const char* kCheckEvery = "1s";
constexpr const char* kForgetAfter = "1m";
// One late answer of a busy node is none: taking it out and in again costs the others more.
constexpr int kFailuresMost = 2;

std::string serviceOf(const std::string& role) { return "tipflow-" + role; }
std::string idOf(const Instance& instance) { return instance.node + "/" + instance.role; }
std::string escapedIdOf(const Instance& instance) {
  return drogon::utils::urlEncodeComponent(idOf(instance));
}

drogon::HttpRequestPtr requestOf(drogon::HttpMethod method, const std::string& target,
                                 std::string body = {}) {
  auto request = drogon::HttpRequest::newHttpRequest();
  request->setMethod(method);
  request->setPath(target);
  request->setPathEncode(false);
  if (!body.empty()) {
    request->setBody(std::move(body));
    request->setContentTypeString("application/json");
  }
  return request;
}

}  // namespace

std::optional<std::vector<Instance>> consulInstances(std::string_view body,
                                                     const std::string& role) {
  json::error_code bad;
  const auto parsed = json::parse({body.data(), body.size()}, bad);
  if (bad || !parsed.is_array()) return std::nullopt;
  std::vector<Instance> instances;
  try {
    for (const auto& entry : parsed.as_array()) {
      const auto& service = entry.at("Service");
      const auto& meta = service.at("Meta");
      instances.push_back({std::string(meta.at("node").as_string()), role,
                           std::string(service.at("Address").as_string()),
                           service.at("Port").to_number<int>(),
                           std::string(meta.at("version").as_string())});
    }
  } catch (const std::exception&) {
    return std::nullopt;
  }
  return instances;
}

std::string consulRegistration(const Instance& instance, bool ready) {
  const auto check = fmt::format("http://{}:{}/readyz", instance.address, instance.port);
  return json::serialize(
      json::object{{"ID", idOf(instance)},
                   {"Name", serviceOf(instance.role)},
                   {"Address", instance.address},
                   {"Port", instance.port},
                   {"Meta", json::object{{"node", instance.node}, {"version", instance.version}}},
                   {"Check", json::object{{"HTTP", check},
                                          {"Interval", kCheckEvery},
                                          {"Timeout", kCheckEvery},
                                          {"FailuresBeforeCritical", kFailuresMost},
                                          {"Status", ready ? "passing" : "critical"},
                                          {"DeregisterCriticalServiceAfter", kForgetAfter}}}});
}

ConsulRegistry::ConsulRegistry(const std::string& url, const std::set<std::string>& roles,
                               Metrics& metrics)
    : url_(url),
      thread_("consul"),
      failures_(metrics.counter("tipflow_discovery_failures_total",
                                "Questions to Consul that were not answered.")) {
  thread_.run();
  auto* loop = thread_.getLoop();
  agent_ = drogon::HttpClient::newHttpClient(url_, loop);
  for (const auto& role : roles) {
    watches_.push_back(std::make_unique<Watch>());
    watches_.back()->role = role;
    watches_.back()->client = drogon::HttpClient::newHttpClient(url_, loop);
    loop->queueInLoop([this, watch = watches_.back().get()] { ask(*watch); });
  }
  loop->runEvery(kLookSeconds, [this] { lookWhetherKnown(); });
}

// The loop ends before what its callbacks use.
ConsulRegistry::~ConsulRegistry() {
  std::promise<void> idle;
  thread_.getLoop()->queueInLoop([&] {
    watches_.clear();
    agent_.reset();
    thread_.getLoop()->quit();
    idle.set_value();
  });
  idle.get_future().wait();
  thread_.wait();
}

void ConsulRegistry::ask(Watch& watch) {
  const auto target = fmt::format("/v1/health/service/{}?passing=1&index={}&wait={}s",
                                  serviceOf(watch.role), watch.index, kWaitSeconds);
  watch.client->sendRequest(
      requestOf(drogon::Get, target),
      [this, &watch](drogon::ReqResult result, const drogon::HttpResponsePtr& answer) {
        if (result == drogon::ReqResult::Ok && answer->getStatusCode() == drogon::k200OK &&
            learn(watch, answer)) {
          ask(watch);
          return;
        }
        failures_.Increment();
        watch.index = "0";  // after a restart Consul counts anew
        thread_.getLoop()->runAfter(kPauseSeconds, [this, &watch] { ask(watch); });
      },
      kAnswerSeconds);
}

bool ConsulRegistry::learn(Watch& watch, const drogon::HttpResponsePtr& answer) {
  const auto index = answer->getHeader("x-consul-index");
  const auto instances = consulInstances(answer->body(), watch.role);
  if (index.empty() || !instances) return false;
  watch.index = index;
  // Nobody at all is more likely a fault of the news than of every node at once.
  if (instances->empty()) return true;
  const std::unique_lock lock(mutex_);
  known_[watch.role] = *instances;
  return true;
}

void ConsulRegistry::add(const Instance& instance) {
  {
    const std::unique_lock lock(mutex_);
    own_.push_back(instance);
  }
  thread_.getLoop()->queueInLoop([this, instance] { registerOne(instance, true); });
}

void ConsulRegistry::lookWhetherKnown() {
  for (const auto& instance : own()) {
    agent_->sendRequest(
        requestOf(drogon::Get, "/v1/agent/service/" + escapedIdOf(instance)),
        [this, instance](drogon::ReqResult result, const drogon::HttpResponsePtr& answer) {
          if (result != drogon::ReqResult::Ok) {
            failures_.Increment();
          } else if (answer->getStatusCode() == drogon::k404NotFound && isOwn(instance)) {
            registerOne(instance, false);
          }
        },
        kAgentSeconds);
  }
}

void ConsulRegistry::registerOne(const Instance& instance, bool ready) {
  agent_->sendRequest(
      requestOf(drogon::Put, "/v1/agent/service/register", consulRegistration(instance, ready)),
      [this](drogon::ReqResult result, const drogon::HttpResponsePtr& answer) {
        if (result == drogon::ReqResult::Ok && answer->getStatusCode() == drogon::k200OK) return;
        failures_.Increment();
        log::warn("platform", "cannot register with Consul, trying again");
      },
      kAgentSeconds);
}

std::vector<Instance> ConsulRegistry::own() const {
  const std::shared_lock lock(mutex_);
  return own_;
}

bool ConsulRegistry::isOwn(const Instance& instance) const {
  const std::shared_lock lock(mutex_);
  return std::any_of(own_.begin(), own_.end(), [&](const Instance& one) {
    return one.node == instance.node && one.role == instance.role;
  });
}

void ConsulRegistry::removeNode(const std::string& node) {
  std::vector<Instance> gone;
  {
    const std::unique_lock lock(mutex_);
    for (const auto& instance : own_) {
      if (instance.node == node) gone.push_back(instance);
    }
    std::erase_if(own_, [&](const Instance& instance) { return instance.node == node; });
  }
  for (const auto& instance : gone) {
    const auto target = "/v1/agent/service/deregister/" + escapedIdOf(instance);
    (void)agent_->sendRequest(requestOf(drogon::Put, target), kAgentSeconds);
  }
}

std::vector<Instance> ConsulRegistry::instances(const std::string& role) const {
  const std::shared_lock lock(mutex_);
  const auto found = known_.find(role);
  return found == known_.end() ? std::vector<Instance>{} : found->second;
}

}  // namespace tipflow
