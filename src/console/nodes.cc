#include "console/nodes.h"

#include <trantor/net/EventLoop.h>

#include <algorithm>
#include <atomic>

#include "console/alert_store.h"

namespace tipflow::console {
namespace {

constexpr Duration kAnswerTime{1 * kUsPerSecond};
constexpr const char* kReadyPath = "/readyz";
constexpr int kOk = 200;

std::string textOf(const boost::json::object& from, const char* name) {
  const auto* value = from.if_contains(name);
  const auto* text = value != nullptr ? value->if_string() : nullptr;
  return text != nullptr ? std::string(text->data(), text->size()) : std::string{};
}

/// Adds up what the nodes report; what nobody reports stays unknown.
void add(Overview& overview, const NodeReport& report) {
  if (report.tips) {
    overview.tipsPerSecond = overview.tipsPerSecond.value_or(0) + report.tips->perSecond;
    auto sync = overview.sync.value_or(SyncLag{});
    sync.tips += report.tips->waiting;
    sync.lagMs = std::max(sync.lagMs, report.tips->lagMs);
    overview.sync = sync;
  }
  // Every node with the books tells of the same ones.
  if (report.today) {
    overview.today = {report.today->from, report.today->tips, report.today->amount};
  }
}

AlertCount countAlerts(const std::vector<store::OpenAlert>& open) {
  AlertCount count;
  for (const auto& alert : open) {
    ++(alert.severity == Severity::critical ? count.critical : count.warning);
  }
  return count;
}

}  // namespace

void readReadiness(int status, std::string_view body, ShownNode& node) {
  if (status == 0) return;
  node.state = status == kOk ? NodeState::ready : NodeState::notReady;
  boost::system::error_code failed;
  const auto parsed = boost::json::parse(body, failed);
  const auto* object = failed ? nullptr : parsed.if_object();
  const auto* list = object != nullptr ? object->if_contains("checks") : nullptr;
  const auto* checks = list != nullptr ? list->if_array() : nullptr;
  if (checks == nullptr) return;
  for (const auto& each : *checks) {
    const auto* check = each.if_object();
    if (check == nullptr) continue;
    node.checks.push_back(
        {textOf(*check, "name"), textOf(*check, "status"), textOf(*check, "detail")});
    const auto& last = node.checks.back();
    if (last.name == "node" && last.status == "down") node.state = NodeState::leaving;
  }
}

/// Sends all questions at once and goes on when the last answer has come, or its time is over.
class Nodes::AskingAll {
 public:
  struct Question {
    std::string address;
    rpc::Wire wire;
  };
  AskingAll(rpc::Connections& connections, std::vector<Question> questions)
      : connections_(connections), questions_(std::move(questions)), outcomes_(questions_.size()) {}

  [[nodiscard]] bool await_ready() const noexcept { return questions_.empty(); }
  void await_suspend(std::coroutine_handle<> handle) {
    loop_ = trantor::EventLoop::getEventLoopOfCurrentThread();
    handle_ = handle;
    left_ = questions_.size();
    // The last answer may come, and end this, before the last question is sent.
    auto& connections = connections_;
    const auto questions = std::move(questions_);
    for (std::size_t i = 0; i < questions.size(); ++i) {
      connections.send(questions[i].address, questions[i].wire,
                       [this, i](rpc::Outcome outcome) { answered(i, std::move(outcome)); });
    }
  }
  std::vector<rpc::Outcome> await_resume() { return std::move(outcomes_); }

 private:
  void answered(std::size_t i, rpc::Outcome outcome) {
    outcomes_[i] = std::move(outcome);
    if (--left_ > 0) return;
    if (loop_ != nullptr) {
      loop_->queueInLoop([handle = handle_] { handle.resume(); });
    } else {
      handle_.resume();
    }
  }

  rpc::Connections& connections_;
  std::vector<Question> questions_;
  std::vector<rpc::Outcome> outcomes_;
  std::atomic<std::size_t> left_{0};
  trantor::EventLoop* loop_ = nullptr;
  std::coroutine_handle<> handle_;
};

std::vector<AskedNode> Nodes::known() const {
  std::vector<AskedNode> nodes;
  for (const auto& role : roles_) {
    for (const auto& instance : registry_.instances(role)) {
      const auto address = instance.address + ":" + std::to_string(instance.port);
      auto found = std::find_if(nodes.begin(), nodes.end(), [&](const AskedNode& node) {
        return node.shown.node == instance.node && node.shown.address == address;
      });
      if (found == nodes.end()) {
        ShownNode shown;
        shown.node = instance.node;
        shown.address = address;
        shown.version = instance.version;
        found = nodes.insert(nodes.end(), {std::move(shown), std::nullopt});
      }
      found->shown.roles.push_back(role);
    }
  }
  std::sort(nodes.begin(), nodes.end(), [](const AskedNode& a, const AskedNode& b) {
    return std::tie(a.shown.node, a.shown.address) < std::tie(b.shown.node, b.shown.address);
  });
  return nodes;
}

rpc::Wire Nodes::wireOf(const std::string& path) const {
  return {drogon::Get, path, {}, sign_(drogon::Get, path, {}), kAnswerTime};
}

drogon::Task<std::vector<AskedNode>> Nodes::askAll() {
  auto nodes = known();
  std::vector<AskingAll::Question> questions;
  for (const auto& node : nodes) {
    questions.push_back({node.shown.address, wireOf(kReadyPath)});
    questions.push_back({node.shown.address, wireOf(kNodeReportPath)});
  }
  AskingAll asking(connections_, std::move(questions));
  const auto outcomes = co_await asking;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    auto& node = nodes[i];
    readReadiness(outcomes[2 * i].status, outcomes[2 * i].body, node.shown);
    const auto& report = outcomes[2 * i + 1];
    if (report.status == kOk) node.report = readNodeReport(report.body);
    if (node.report) node.shown.startedAt = node.report->startedAt;
  }
  co_return nodes;
}

drogon::Task<Services> Nodes::services() {
  auto nodes = co_await askAll();
  Services services;
  for (const auto& role : roles_) services.roles.push_back({role, 0, 0, std::nullopt});
  for (auto& role : services.roles) {
    for (const auto& node : nodes) {
      const auto& own = node.shown.roles;
      if (std::find(own.begin(), own.end(), role.role) == own.end()) continue;
      ++role.nodes;
      if (node.shown.state == NodeState::ready) ++role.ready;
    }
    if (!circuits_) continue;
    for (const auto& circuit : circuits_()) {
      if (circuit.role == role.role) role.breaker = circuit.breaker;
    }
  }
  for (auto& node : nodes) services.items.push_back(std::move(node.shown));
  co_return services;
}

drogon::Task<Overview> Nodes::overview() {
  Overview overview;
  overview.asOf = clock_.now();
  const auto nodes = co_await askAll();
  overview.nodes.all = static_cast<std::int64_t>(nodes.size());
  for (const auto& node : nodes) {
    if (node.shown.state == NodeState::ready) ++overview.nodes.ready;
    if (node.report) add(overview, *node.report);
  }
  const auto open =
      co_await db2_.read([](db::Connection& connection) { return store::openAlerts(connection); });
  overview.alerts = countAlerts(open);
  co_return overview;
}

}  // namespace tipflow::console
