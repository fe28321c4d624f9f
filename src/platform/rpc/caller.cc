#include "platform/rpc/caller.h"

#include <trantor/net/EventLoop.h>

#include <algorithm>
#include <future>

#include "platform/rpc/deadline.h"

namespace tipflow::rpc {
namespace {

constexpr int kServerError = 500;
constexpr int kUnavailable = 503;

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
      nodes_(metrics.gauge("tipflow_rpc_nodes", "Nodes of the role that are known.",
                           {{"role", role_}})),
      ejected_(metrics.gauge("tipflow_rpc_ejected_nodes",
                             "Nodes of the role that are left out because their last calls failed.",
                             {{"role", role_}})),
      breaker_(limits.breaker),
      peers_(limits.ejection),
      budget_(limits.retry) {}

Caller::Attempt Caller::beginFirst() {
  {
    const std::lock_guard lock(mutex_);
    budget_.onCall();
  }
  if (auto attempt = begin({})) return *std::move(attempt);
  refused_.Increment();
  const std::lock_guard lock(mutex_);
  throw Away(peers_.empty() ? "no node with the role " + role_
                            : "too many calls to " + role_ + " failed, it is left alone");
}

std::optional<Caller::Attempt> Caller::begin(const std::string& besides) {
  std::vector<std::string> addresses;
  for (const auto& instance : registry_.instances(role_)) {
    addresses.push_back(instance.address + ":" + std::to_string(instance.port));
  }
  const std::lock_guard lock(mutex_);
  const Time now = clock_.now();
  peers_.set(addresses);
  nodes_.Set(static_cast<double>(addresses.size()));
  if (!breaker_.admits(now)) return std::nullopt;
  auto address = peers_.choose(now, random_, besides);
  if (!address) {
    breaker_.onNotMade();
    return std::nullopt;
  }
  peers_.onStart(*address);
  return Attempt{*std::move(address), now};
}

std::optional<Caller::Attempt> Caller::beginAgain(const Request& request, const Attempt& first,
                                                  Verdict verdict, Time deadline) {
  if (verdict == Verdict::good || clock_.now() >= deadline) return std::nullopt;
  if (verdict == Verdict::unknown && !request.idempotent) return std::nullopt;
  {
    const std::lock_guard lock(mutex_);
    if (!budget_.take()) return std::nullopt;
  }
  auto attempt = begin(first.address);
  if (attempt) retried_.Increment();
  return attempt;
}

Caller::Verdict Caller::end(const Request& request, const Attempt& attempt,
                            const Outcome& outcome) {
  const bool answered = outcome.kind == Outcome::Kind::answered;
  const bool good = answered && outcome.status < kServerError &&
                    (!request.fits || request.fits({outcome.status, outcome.body}));
  const Time now = clock_.now();
  seconds_.Observe(static_cast<double>((now - attempt.started).count()) /
                   static_cast<double>(kUsPerSecond));
  const std::lock_guard lock(mutex_);
  if (good) {
    peers_.onSuccess(attempt.address);
    breaker_.onSuccess(now);
    succeeded_.Increment();
  } else {
    peers_.onFailure(attempt.address, now);
    breaker_.onFailure(now);
    failed_.Increment();
  }
  open_.Set(breaker_.state() == BreakerState::closed ? 0 : 1);
  const auto peers = peers_.view(now);
  ejected_.Set(static_cast<double>(std::count_if(
      peers.begin(), peers.end(), [](const PeerView& peer) { return peer.ejected; })));
  if (good) return Verdict::good;
  const bool certainlyNot =
      outcome.kind == Outcome::Kind::notSent || (answered && outcome.status == kUnavailable);
  return certainlyNot ? Verdict::notDone : Verdict::unknown;
}

Wire Caller::wireOf(const Request& request, Time deadline) const {
  const auto left = std::max(deadline - clock_.now(), Duration{kUsPerMs});
  Wire wire{request.method, request.path, request.body, {}, left};
  wire.headers = sign_(request.method, request.path, request.body);
  wire.headers.emplace_back(kDeadlineHeader, std::to_string(left.count() / kUsPerMs));
  if (request.trace.trace != TraceId{}) {
    wire.headers.emplace_back("traceparent", request.trace.header());
  }
  return wire;
}

Answer Caller::answerOf(Verdict verdict, Outcome outcome) const {
  if (verdict == Verdict::good) return {outcome.status, std::move(outcome.body)};
  if (verdict == Verdict::notDone) throw Away(role_ + " did not do it");
  if (outcome.kind == Outcome::Kind::answered) {
    throw Unknown(role_ + " answered " + std::to_string(outcome.status) + " to what it was asked");
  }
  throw Unknown(role_ + " did not answer");
}

drogon::Task<Answer> Caller::call(Request request) {
  const Time deadline = clock_.now() + request.deadline;
  auto attempt = beginFirst();
  Sending first(connections_, attempt.address, wireOf(request, deadline));
  auto outcome = co_await first;
  auto verdict = end(request, attempt, outcome);
  if (const auto second = beginAgain(request, attempt, verdict, deadline)) {
    Sending sending(connections_, second->address, wireOf(request, deadline));
    outcome = co_await sending;
    verdict = end(request, *second, outcome);
  }
  co_return answerOf(verdict, std::move(outcome));
}

Outcome Caller::sendBlocking(const std::string& address, Wire wire) {
  std::promise<Outcome> promise;
  connections_.send(address, std::move(wire),
                    [&](Outcome outcome) { promise.set_value(std::move(outcome)); });
  return promise.get_future().get();
}

Answer Caller::callBlocking(Request request) {
  const Time deadline = clock_.now() + request.deadline;
  const auto attempt = beginFirst();
  auto outcome = sendBlocking(attempt.address, wireOf(request, deadline));
  auto verdict = end(request, attempt, outcome);
  if (const auto second = beginAgain(request, attempt, verdict, deadline)) {
    outcome = sendBlocking(second->address, wireOf(request, deadline));
    verdict = end(request, *second, outcome);
  }
  return answerOf(verdict, std::move(outcome));
}

State Caller::state() const {
  const std::lock_guard lock(mutex_);
  return {role_, breaker_.state(), peers_.view(clock_.now())};
}

}  // namespace tipflow::rpc
