// Calls to the nodes of one role: chooses a node, keeps one deadline, tries idempotent calls once
// more on another node, refuses at once when the role is down. Decisions are in peers.h, breaker.h
// and retry_budget.h; this sends.
#pragma once

#include <drogon/utils/coroutine.h>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>

#include "base/random.h"
#include "base/time.h"
#include "base/trace_context.h"
#include "platform/metrics.h"
#include "platform/registry.h"
#include "platform/rpc/breaker.h"
#include "platform/rpc/connections.h"
#include "platform/rpc/peers.h"
#include "platform/rpc/retry_budget.h"

namespace tipflow::rpc {

/// The role did not do it: no node, the circuit is open, or the node said that it did nothing.
class Away : public std::runtime_error {
  using std::runtime_error::runtime_error;
};
/// Whether it was done is not known: the connection broke, or the deadline passed.
class Unknown : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline constexpr Duration kDefaultDeadline{2 * kUsPerSecond};

struct Request {
  drogon::HttpMethod method = drogon::Get;
  std::string path;  ///< with query
  std::string body = {};
  /// Whether doing it twice is doing it once: then it may be tried again on another node.
  bool idempotent = true;
  Duration deadline = kDefaultDeadline;  ///< of the call with its retry
  TraceContext trace = {};               ///< of who asks; a trace of 0 is none
};

struct Answer {
  int status = 0;
  std::string body;
};

struct Limits {
  BreakerLimits breaker = {};
  EjectionLimits ejection = {};
  RetryLimits retry = {};
};

/// The state of a role's circuit and nodes, for people.
struct View {
  std::string role;
  BreakerState breaker = BreakerState::closed;
  std::vector<PeerView> peers;
};

/// Headers that prove a request comes from a node of the cluster.
using Sign = std::function<std::vector<std::pair<std::string, std::string>>(
    drogon::HttpMethod method, const std::string& target, const std::string& body)>;

/// Thread-safe.
class Caller {
 public:
  Caller(std::string role, const Registry& registry, Connections& connections, Sign sign,
         const Clock& clock, Random& random, Metrics& metrics, Limits limits = {});

  /// Any answer below 500; throws Away or Unknown. From an event loop; goes on there.
  drogon::Task<Answer> call(Request request);
  /// The same for threads of their own; blocks.
  Answer callBlocking(Request request);

  [[nodiscard]] View view() const;

 private:
  struct Attempt {
    std::string address;
    Time started;
  };
  class Sending;

  /// Picks a node; throws Away when there is none or the circuit is open.
  Attempt begin(const std::string& besides);
  void end(const Attempt& attempt, const Outcome& outcome);
  /// Whether to try once more after this.
  bool again(const Request& request, const Outcome& outcome, Time deadline);
  [[nodiscard]] Wire wireOf(const Request& request, Time deadline) const;
  static Answer answerOf(Outcome outcome, const std::string& role);

  std::string role_;
  const Registry& registry_;
  Connections& connections_;
  Sign sign_;
  const Clock& clock_;
  Random& random_;
  prometheus::Counter& succeeded_;
  prometheus::Counter& failed_;
  prometheus::Counter& refused_;
  prometheus::Counter& retried_;
  prometheus::Histogram& seconds_;
  prometheus::Gauge& open_;
  mutable std::mutex mutex_;
  Breaker breaker_;
  Peers peers_;
  RetryBudget budget_;
};

}  // namespace tipflow::rpc
