// Calls to the nodes of one role: chooses a node, keeps one deadline, tries idempotent calls once
// more on another node, refuses at once when the role is down. Decisions are in peers.h, breaker.h
// and retry_budget.h; this sends.
#pragma once

#include <drogon/utils/coroutine.h>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/random.h"
#include "base/time.h"
#include "base/trace_context.h"
#include "platform/db/connection.h"
#include "platform/metrics.h"
#include "platform/registry.h"
#include "platform/rpc/breaker.h"
#include "platform/rpc/connections.h"
#include "platform/rpc/peers.h"
#include "platform/rpc/retry_budget.h"

namespace tipflow::rpc {

// A role that cannot be asked is an outage like that of a database, and is answered alike.

/// The role did not do it: no node, the circuit is open, or the node said that it did nothing.
class Away : public db::Unavailable {
 public:
  explicit Away(const std::string& what) : db::Unavailable(0, what) {}
};
/// Whether it was done is not known: the connection broke, the deadline passed, or the answer is
/// none that the question has.
class Unknown : public db::ConnectionLost {
 public:
  explicit Unknown(const std::string& what) : db::ConnectionLost(0, what) {}
};

inline constexpr Duration kDefaultDeadline{2 * kUsPerSecond};

struct Answer {
  int status = 0;
  std::string body;
};

struct Request {
  drogon::HttpMethod method = drogon::Get;
  std::string path;  ///< with query
  std::string body = {};
  /// Whether doing it twice is doing it once: then it may be tried again on another node.
  bool idempotent = true;
  Duration deadline = kDefaultDeadline;  ///< of the call with its retry
  TraceContext trace = {};               ///< of who asks; a trace of 0 is none
  /// Whether an answer is one that this question has; any when empty. A node that gives others
  /// counts as one that fails.
  std::function<bool(const Answer&)> fits = {};
};

struct Limits {
  BreakerLimits breaker = {};
  EjectionLimits ejection = {};
  RetryLimits retry = {};
};

/// The state of a role's circuit and nodes, for people.
struct State {
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

  /// An answer below 500 that fits; throws Away or Unknown. From an event loop; goes on there.
  drogon::Task<Answer> call(Request request);
  /// The same for threads of their own; blocks.
  Answer callBlocking(Request request);

  [[nodiscard]] State state() const;

 private:
  struct Attempt {
    std::string address;
    Time started;
  };
  class Sending;
  /// What came of an attempt.
  enum class Verdict { good, notDone, unknown };

  /// Picks a node, not `besides`; nullopt when there is none or the circuit is open.
  std::optional<Attempt> begin(const std::string& besides);
  Attempt beginFirst();
  /// Picks another node for a second attempt, when one may be made.
  std::optional<Attempt> beginAgain(const Request& request, const Attempt& first, Verdict verdict,
                                    Time deadline);
  /// Judges the attempt and counts it.
  Verdict end(const Request& request, const Attempt& attempt, const Outcome& outcome);
  [[nodiscard]] Wire wireOf(const Request& request, Time deadline) const;
  Answer answerOf(Verdict verdict, Outcome outcome) const;
  [[nodiscard]] Outcome sendBlocking(const std::string& address, Wire wire);

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
  prometheus::Gauge& nodes_;
  prometheus::Gauge& ejected_;
  mutable std::mutex mutex_;
  Breaker breaker_;
  Peers peers_;
  RetryBudget budget_;
};

}  // namespace tipflow::rpc
