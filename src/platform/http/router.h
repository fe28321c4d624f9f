// The HTTP boundary: routes with who may use them, and everything that is the same for all of them:
// trace ids, sizes, tokens, signatures, errors, metrics, the access log.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "platform/http/access.h"
#include "platform/http/call.h"
#include "platform/http/gate.h"
#include "platform/http/node_signature.h"
#include "platform/http/signature.h"
#include "platform/metrics.h"
#include "platform/security/tokens.h"
#include "platform/tracing.h"

namespace tipflow::http {

enum class Method { get, post, put, patch, delete_ };

/// How a route treats signed requests.
enum class Signing {
  none,
  required,    ///< with a nonce of its own
  repeatable,  ///< as `required`; its traceId keeps a replay at another node from doing anything
  traceIdIsNonce,  ///< a replay answers what the first answered
};

inline constexpr std::size_t kBodyLimit = 64 * 1024;
inline constexpr std::size_t kBatchBodyLimit = 1024 * 1024;

struct Route {
  Method method;
  std::string path;  ///< with {name} for each place
  Access access;
  std::function<Task<ResponsePtr>(Call&)> handler;
  Signing signing = Signing::none;
  std::size_t bodyLimit = kBodyLimit;
  std::string role = {};  ///< which role serves it; filled in by the role that adds it
  /// Whether the operators' log keeps what they change here.
  bool recorded = true;
};

/// What decides whether a request reaches its handler.
struct Guards {
  Gate& gate;
  Tokens& tokens;
  SignatureCheck& signatures;
  const NodeSignatureCheck& nodes;
};

/// Keeps what an operator changed, or tried to: `refusal` says why it was not done. Never throws.
using ChangeRecorder =
    std::function<Task<>(const Route& route, const Call& call, std::optional<ErrorCode> refusal)>;

std::string_view name(Method method);

class Router {
 public:
  Router(Guards guards, Tracing& tracing, Metrics& metrics, const Clock& clock);
  ~Router();

  /// Throws std::logic_error for a route without access rules, and for one under /internal that is
  /// not for nodes, or the other way round.
  void add(Route route);
  /// Before `install`.
  void recordChangesWith(ChangeRecorder recorder) { recorder_ = std::move(recorder); }
  [[nodiscard]] const std::vector<Route>& routes() const { return routes_; }

  /// Hands all routes to Drogon; call once, before it runs.
  void install();
  /// The methods that are taken at this path, as the header Allow names them; empty: none.
  [[nodiscard]] std::string allowedAt(std::string_view path) const;

  [[nodiscard]] std::int64_t inFlight() const { return inFlight_.load(); }
  /// Answers of the roles' own routes since the start, and those of them that were 5xx.
  struct Answered {
    std::int64_t all = 0;
    std::int64_t failed = 0;
  };
  [[nodiscard]] Answered answered() const;

 private:
  struct Served;
  static drogon::AsyncTask run(Router* self, const Served* served, drogon::HttpRequestPtr request,
                               std::function<void(const ResponsePtr&)> callback,
                               std::vector<std::string> path);
  [[nodiscard]] ResponsePtr refusalBeforeRouting(const drogon::HttpRequestPtr& request);
  [[nodiscard]] ResponsePtr unrouted(const Rejection& rejection,
                                     const drogon::HttpRequestPtr& request);
  [[nodiscard]] std::optional<Time> admit(const Route& route, Call& call) const;
  void admitNode(const Route& route, const Call& call, bool fits) const;
  [[nodiscard]] std::optional<Time> admitPrincipal(const Route& route, Call& call) const;
  static void permit(const Route& route, const Call& call);
  void finish(const Served& served, const Call& call, const ResponsePtr& response, Time started);

  Guards guards_;
  Tracing& tracing_;
  Metrics& metrics_;
  const Clock& clock_;
  ChangeRecorder recorder_;
  std::vector<Route> routes_;
  std::vector<std::unique_ptr<Served>> served_;
  std::atomic<std::int64_t> inFlight_{0};
};

}  // namespace tipflow::http
