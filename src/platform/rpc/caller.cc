#include "platform/rpc/caller.h"

#include <trantor/net/EventLoop.h>

#include <algorithm>
#include <future>

namespace tipflow::rpc {
namespace {

constexpr int kServerError = 500;
constexpr int kUnavailable = 503;

bool succeeded(const Outcome& outcome) {
  return outcome.kind == Outcome::Kind::answered && outcome.status < kServerError;
}
/// Whether the node certainly did nothing.
bool notDone(const Outcome& outcome) {
  return outcome.kind == Outcome::Kind::notSent ||
         (outcome.kind == Outcome::Kind::answered && outcome.status == kUnavailable);
}

}  // namespace

/// Suspends the coroutine until the answer is there, and resumes it on its own event loop.
class Caller::Sending {
 public:
  Sending(Connections& connections, const std::string& address, Wire wire)
      : connections_(connections), address_(address), wire_(std::move(wire)) {}

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    auto* loop = trantor::EventLoop::getEventLoopOfCurrentThread();
    connections_.send(address_, std::move(wire_), [this, loop, handle](Outcome outcome) {
      outcome_ = std::move(outcome);
      if (loop != nullptr) {
        loop->queueInLoop([handle] { handle.resume(); });
      } else {
        handle.resume();
      }
    });
  }
  Outcome await_resume() { return std::move(outcome_); }

 private:
  Connections& connections_;
  const std::string& address_;
  Wire wire_;
  Outcome outcome_;
};

Caller::Caller(std::string role, const Registry& registry, Connections& connections, Sign sign,
               const Clock& clock, Random& random, Metrics& metrics, Limits limits)
    : role_(std::move(role)),
      registry_(registry),
      connections_(connections),
      sign_(std::move(sign)),
      clock_(clock),
      random_(random),
      succeeded_(metrics.counter("tipflow_rpc_calls_total", "Calls to other nodes, by outcome.",
                                 {{"role", role_}, {"outcome", "succeeded"}})),
      failed_(metrics.counter("tipflow_rpc_calls_total", "Calls to other nodes, by outcome.",
                              {{"role", role_}, {"outcome", "failed"}})),
      refused_(metrics.counter("tipflow_rpc_calls_total", "Calls to other nodes, by outcome.",
                               {{"role", role_}, {"outcome", "refused"}})),
      retried_(metrics.counter("tipflow_rpc_retries_total",
                               "Calls made a second time, on another node.", {{"role", role_}})),
      seconds_(metrics.histogram("tipflow_rpc_call_seconds", "Time of calls to other nodes.",
                                 latencyBounds(), {{"role", role_}})),
      open_(metrics.gauge("tipflow_rpc_breaker_open",
                          "1 while calls to the role are refused or only probed.",
                          {{"role", role_}})),
      breaker_(limits.breaker),
      peers_(limits.ejection),
      budget_(limits.retry) {}

Caller::Attempt Caller::begin(const std::string& besides) {
  std::vector<std::string> addresses;
  for (const auto& instance : registry_.instances(role_)) {
    addresses.push_back(instance.address + ":" + std::to_string(instance.port));
  }
  const std::lock_guard lock(mutex_);
  const Time now = clock_.now();
  peers_.set(addresses);
  if (!breaker_.admits(now)) {
    refused_.Increment();
    throw Away("too many calls to " + role_ + " failed, it is left alone for a moment");
  }
  auto address = peers_.choose(now, random_, besides);
  if (!address) {
    breaker_.onNotMade();
    refused_.Increment();
    throw Away("no node with the role " + role_);
  }
  peers_.onStart(*address);
  return {*std::move(address), now};
}

void Caller::end(const Attempt& attempt, const Outcome& outcome) {
  const Time now = clock_.now();
  const std::lock_guard lock(mutex_);
  if (succeeded(outcome)) {
    peers_.onSuccess(attempt.address);
    breaker_.onSuccess(now);
    succeeded_.Increment();
  } else {
    peers_.onFailure(attempt.address, now);
    breaker_.onFailure(now);
    failed_.Increment();
  }
  open_.Set(breaker_.state() == BreakerState::closed ? 0 : 1);
  seconds_.Observe(static_cast<double>((now - attempt.started).count()) /
                   static_cast<double>(kUsPerSecond));
}

bool Caller::again(const Request& request, const Outcome& outcome, Time deadline) {
  if (succeeded(outcome) || clock_.now() >= deadline) return false;
  if (!request.idempotent && !notDone(outcome)) return false;
  const std::lock_guard lock(mutex_);
  if (!budget_.take()) return false;
  retried_.Increment();
  return true;
}

Wire Caller::wireOf(const Request& request, Time deadline) const {
  const auto left = std::max(deadline - clock_.now(), Duration{kUsPerMs});
  Wire wire{request.method, request.path, request.body, {}, left};
  wire.headers = sign_(request.method, request.path, request.body);
  wire.headers.emplace_back("X-Tipflow-Deadline-Ms", std::to_string(left.count() / kUsPerMs));
  if (request.trace.trace != TraceId{}) {
    wire.headers.emplace_back("traceparent", request.trace.header());
  }
  return wire;
}

Answer Caller::answerOf(Outcome outcome, const std::string& role) {
  if (succeeded(outcome)) return {outcome.status, std::move(outcome.body)};
  if (notDone(outcome)) throw Away(role + " did not do it");
  if (outcome.kind == Outcome::Kind::answered) {
    throw Unknown(role + " answered " + std::to_string(outcome.status));
  }
  throw Unknown(role + " did not answer");
}

drogon::Task<Answer> Caller::call(Request request) {
  const Time deadline = clock_.now() + request.deadline;
  {
    const std::lock_guard lock(mutex_);
    budget_.onCall();
  }
  std::string tried;
  for (;;) {
    const auto attempt = begin(tried);
    Sending sending(connections_, attempt.address, wireOf(request, deadline));
    auto outcome = co_await sending;
    end(attempt, outcome);
    const bool first = tried.empty();
    if (!first || !again(request, outcome, deadline)) co_return answerOf(std::move(outcome), role_);
    tried = attempt.address;
  }
}

Answer Caller::callBlocking(Request request) {
  const Time deadline = clock_.now() + request.deadline;
  {
    const std::lock_guard lock(mutex_);
    budget_.onCall();
  }
  std::string tried;
  for (;;) {
    const auto attempt = begin(tried);
    std::promise<Outcome> promise;
    connections_.send(attempt.address, wireOf(request, deadline),
                      [&](Outcome outcome) { promise.set_value(std::move(outcome)); });
    auto outcome = promise.get_future().get();
    end(attempt, outcome);
    const bool first = tried.empty();
    if (!first || !again(request, outcome, deadline)) return answerOf(std::move(outcome), role_);
    tried = attempt.address;
  }
}

View Caller::view() const {
  const std::lock_guard lock(mutex_);
  return {role_, breaker_.state(), peers_.view(clock_.now())};
}

}  // namespace tipflow::rpc
