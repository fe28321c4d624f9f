// The HTTP boundary: routes with who may use them, and everything that is the same for all of them:
// trace ids, sizes, tokens, signatures, errors, metrics, the access log.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "platform/http/access.h"
#include "platform/http/call.h"
#include "platform/http/signature.h"
#include "platform/metrics.h"
#include "platform/security/tokens.h"

namespace tipflow::http {

enum class Method { get, post, put, patch, delete_ };

/// How a route treats signed requests.
enum class Signing {
  none,
  required,        ///< with a nonce of its own
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
};

std::string_view name(Method method);

class Router {
 public:
  Router(Tokens& tokens, SignatureCheck& signatures, Metrics& metrics, const Clock& clock,
         Random& random);
  ~Router();

  /// Throws std::logic_error for a route without access rules.
  void add(Route route);
  [[nodiscard]] const std::vector<Route>& routes() const { return routes_; }

  /// Hands all routes to Drogon; call once, before it runs.
  void install();

  [[nodiscard]] std::int64_t inFlight() const { return inFlight_.load(); }

 private:
  struct Served;
  static drogon::AsyncTask run(Router* self, const Served* served, drogon::HttpRequestPtr request,
                               std::function<void(const ResponsePtr&)> callback,
                               std::vector<std::string> path);
  void admit(const Route& route, Call& call) const;
  [[nodiscard]] std::string traceIdOf(const drogon::HttpRequestPtr& request) const;
  void finish(const Served& served, const Call& call, const ResponsePtr& response, Time started);

  Tokens& tokens_;
  SignatureCheck& signatures_;
  Metrics& metrics_;
  const Clock& clock_;
  Random& random_;
  std::vector<Route> routes_;
  std::vector<std::unique_ptr<Served>> served_;
  std::atomic<std::int64_t> inFlight_{0};
};

}  // namespace tipflow::http
