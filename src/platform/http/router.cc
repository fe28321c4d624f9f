#include "platform/http/router.h"

#include <drogon/HttpAppFramework.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>

#include "platform/db/connection.h"
#include "platform/http/headers.h"
#include "platform/http/problem.h"
#include "platform/log.h"
#include "platform/mask.h"

namespace tipflow::http {
namespace {

drogon::HttpMethod toDrogon(Method method) {
  switch (method) {
    case Method::get:
      return drogon::Get;
    case Method::post:
      return drogon::Post;
    case Method::put:
      return drogon::Put;
    case Method::patch:
      return drogon::Patch;
    case Method::delete_:
      return drogon::Delete;
  }
  throw std::logic_error("a method without a name");
}

// Status classes keep the number of series bounded whatever clients provoke.
constexpr std::array<std::string_view, 5> kClasses{"1xx", "2xx", "3xx", "4xx", "5xx"};

// A body in a log line: enough to see what was asked, not a batch of a thousand tips.
constexpr std::size_t kLoggedBody = 1024;

constexpr std::string_view kInternal = "/internal/";

/// What watches the node must not be turned away by those who overload it; nodes prove themselves.
bool isLimited(std::string_view path) {
  return path != "/livez" && path != "/readyz" && path != "/metrics" &&
         !path.starts_with(kInternal);
}

/// What to say of a request that Drogon has no handler for. Of what is under /internal, in whatever
/// spelling Drogon takes for it, not even which methods there are.
ErrorCode unroutedCode(drogon::HttpStatusCode status, std::string path) {
  for (auto& c : path) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (status == drogon::k404NotFound || path.starts_with(kInternal)) {
    return ErrorCode::route_not_found;
  }
  if (status == drogon::k405MethodNotAllowed) return ErrorCode::method_not_allowed;
  if (status == drogon::k413RequestEntityTooLarge) return ErrorCode::body_too_large;
  return status >= drogon::k500InternalServerError ? ErrorCode::internal_error
                                                   : ErrorCode::invalid_request;
}

/// Whether the path, as it was sent, is the route's letter for letter but for its place. Drogon
/// also finds routes for other spellings: in capitals, with encoded characters.
bool isSpelledAs(std::string_view sent, std::string_view pattern) {
  const auto place = pattern.find('{');
  if (place == std::string_view::npos) return sent == pattern;
  const auto behind = pattern.substr(pattern.find('}') + 1);
  if (sent.size() < place + behind.size() || !sent.starts_with(pattern.substr(0, place)) ||
      !sent.ends_with(behind)) {
    return false;
  }
  const auto value = sent.substr(place, sent.size() - place - behind.size());
  return value.find_first_of("/%") == std::string_view::npos;
}

/// Whether Drogon would take the path for the route's, whatever stands in its places.
bool leadsTo(std::string_view path, std::string_view pattern) {
  while (!path.empty() && !pattern.empty()) {
    const auto there = path.substr(0, path.find('/', 1));
    const auto wanted = pattern.substr(0, pattern.find('/', 1));
    if (there != wanted && !wanted.starts_with("/{")) return false;
    path.remove_prefix(there.size());
    pattern.remove_prefix(wanted.size());
  }
  return path.empty() && pattern.empty();
}

/// The value of a header, named in lower case; empty when it did not come. Drogon's own look-up
/// copies the name and lowers it, each time.
const std::string& header(const drogon::HttpRequest& request, const std::string& name) {
  static const std::string kNone;
  const auto found = request.headers().find(name);
  return found != request.headers().end() ? found->second : kNone;
}

// Of every request.
const std::string kAuthorization = "authorization";
const std::string kContentLength = "content-length";
const std::string kContentType = "content-type";
const std::string kNonce = "x-tipflow-nonce";
const std::string kSignature = "x-tipflow-signature";
const std::string kTimestamp = "x-tipflow-timestamp";
const std::string kTraceId = "x-trace-id";
const std::string kTraceParent = "traceparent";

/// Path and query as they were sent, which is what signatures cover.
std::string signedTarget(const drogon::HttpRequest& request) {
  std::string target = request.getOriginalPath();
  if (!request.query().empty()) target += "?" + request.query();
  return target;
}

bool isOperatorsChange(const Route& route, const Call& call) {
  return route.recorded && route.method != Method::get && call.isOperator();
}

/// What the client announced, or what came. A body that went to a file counts in full.
std::size_t bodyBytes(const drogon::HttpRequestPtr& request) {
  const std::string& announced = header(*request, kContentLength);
  std::size_t bytes = 0;
  std::from_chars(announced.data(), announced.data() + announced.size(), bytes);
  return std::max(bytes, request->bodyLength());
}

// What to tell the client of an exception that a handler let out.
Rejection rejectionOf(const std::exception_ptr& error, const Call& call, std::string_view role) {
  const auto complain = [&](log::Level level, const char* what) {
    log::line(level, role, log::to(call.context), "request failed",
              log::field("path", call.request->path()),
              log::field("error", std::string_view(what)));
  };
  try {
    std::rethrow_exception(error);
  } catch (const Refused& refused) {
    return refused.rejection();
  } catch (const BadRequest& bad) {
    return bad.rejection();
  } catch (const db::ConnectionLost& lost) {
    complain(log::Level::warn, lost.what());
    return {call.request->method() == drogon::Get ? ErrorCode::unavailable
                                                  : ErrorCode::outcome_unknown};
  } catch (const db::Unavailable& away) {
    complain(log::Level::warn, away.what());
    return {ErrorCode::unavailable};
  } catch (const db::RolledBack& busy) {
    complain(log::Level::warn, busy.what());
    return {ErrorCode::overloaded};
  } catch (const std::exception& broken) {
    complain(log::Level::error, broken.what());
    return {ErrorCode::internal_error};
  }
}

/// The trace and span that a request says it belongs to.
std::optional<TraceContext> parentOf(const drogon::HttpRequestPtr& request) {
  const auto parent = TraceContext::parse(header(*request, kTraceParent));
  if (parent) return parent;
  const std::string& given = header(*request, kTraceId);
  const auto trace = given.size() == 32 ? TraceId::parse(given) : std::nullopt;
  if (!trace || *trace == TraceId{}) return std::nullopt;
  return TraceContext{*trace, 0, true};
}

// What was asked: masked, cut, and as JSON strings, so that the line stays a line whatever came.
void describe(std::string& fields, std::string_view method, const drogon::HttpRequest& request) {
  const auto append = [&](std::string_view name, std::string_view value) {
    log::appendField(fields, log::field(name, value));
  };
  append("method", method);
  append("path", request.path());
  const std::string& query = request.query();
  if (!query.empty()) append("query", mayHoldSecrets(query) ? maskedQuery(query) : query);
  const auto body = request.body();
  if (body.empty()) return;
  if (mayHoldSecrets(body)) {
    append("body", std::string_view(maskedJson(body)).substr(0, kLoggedBody));
  } else {
    append("body", body.substr(0, kLoggedBody));
  }
}

}  // namespace

struct Router::Served {
  Route route;
  std::string shown;  // `POST /api/v1/tips`
  std::array<prometheus::Counter*, kClasses.size()> requests{};
  prometheus::Histogram* seconds = nullptr;
};

std::string_view name(Method method) {
  switch (method) {
    case Method::get:
      return "GET";
    case Method::post:
      return "POST";
    case Method::put:
      return "PUT";
    case Method::patch:
      return "PATCH";
    case Method::delete_:
      return "DELETE";
  }
  throw std::logic_error("a method without a name");
}

Router::Router(Guards guards, Tracing& tracing, Metrics& metrics, const Clock& clock)
    : guards_(guards), tracing_(tracing), metrics_(metrics), clock_(clock) {}

Router::~Router() = default;

void Router::add(Route route) {
  if (!route.access.declared()) {
    throw std::logic_error("no access rule for " + std::string(name(route.method)) + " " +
                           route.path);
  }
  if (route.access.open() && route.signing != Signing::none) {
    throw std::logic_error("nobody's key could sign for " + route.path);
  }
  if (route.path.starts_with(kInternal) != route.access.forNodes()) {
    throw std::logic_error("nodes, and nobody else, have their routes under /internal: " +
                           route.path);
  }
  routes_.push_back(std::move(route));
}

void Router::install() {
  auto& app = drogon::app();
  for (auto& route : routes_) {
    auto served = std::make_unique<Served>();
    served->route = route;
    served->shown = std::string(name(route.method)) + " " + route.path;
    const Labels labels{{"method", std::string(name(route.method))}, {"route", route.path}};
    for (std::size_t i = 0; i < kClasses.size(); ++i) {
      auto withStatus = labels;
      withStatus["status"] = kClasses[i];
      served->requests[i] =
          &metrics_.counter("tipflow_http_requests_total", "Requests answered.", withStatus);
    }
    served->seconds = &metrics_.histogram("tipflow_http_request_seconds",
                                          "Time from request read to answer handed over.",
                                          latencyBounds(), labels);
    const Served* self = served.get();
    served_.push_back(std::move(served));

    using Callback = std::function<void(const ResponsePtr&)>;
    const std::vector<drogon::internal::HttpConstraint> methods{toDrogon(route.method)};
    const auto places = std::count(route.path.begin(), route.path.end(), '{');
    if (places == 0) {
      app.registerHandler(
          route.path,
          [this, self](const drogon::HttpRequestPtr& request, Callback&& callback) {
            run(this, self, request, std::move(callback), {});
          },
          methods);
    } else if (places == 1) {
      app.registerHandler(
          route.path,
          [this, self](const drogon::HttpRequestPtr& request, Callback&& callback,
                       std::string first) {
            run(this, self, request, std::move(callback), {std::move(first)});
          },
          methods);
    } else if (places == 2) {
      app.registerHandler(
          route.path,
          [this, self](const drogon::HttpRequestPtr& request, Callback&& callback,
                       std::string first, std::string second) {
            run(this, self, request, std::move(callback), {std::move(first), std::move(second)});
          },
          methods);
    } else {
      throw std::logic_error("more than two places in " + route.path);
    }
  }
  app.registerSyncAdvice(
      [this](const drogon::HttpRequestPtr& request) { return refusalBeforeRouting(request); });
  app.setCustomErrorHandler(
      [this](drogon::HttpStatusCode status, const drogon::HttpRequestPtr& request) {
        auto code = unroutedCode(status, request->path());
        const bool unknown = code == ErrorCode::route_not_found;
        // Drogon tells a wrong method from a wrong address only where the address has no places.
        if (unknown && !allowedAt(request->path()).empty()) code = ErrorCode::method_not_allowed;
        return unrouted({code}, request);
      });
}

// What is under /internal is nobody's business.
std::string Router::allowedAt(std::string_view path) const {
  std::string methods;
  for (const auto& route : routes_) {
    if (route.access.forNodes() || !leadsTo(path, route.path)) continue;
    if (!methods.empty()) methods += ", ";
    methods += name(route.method);
  }
  return methods;
}

// Before it is known whether there is such a route, so that an address that guesses is limited too.
ResponsePtr Router::refusalBeforeRouting(const drogon::HttpRequestPtr& request) {
  const auto client = guards_.gate.clientOf(*request);
  auto refusal = guards_.gate.refuseBlocked(client);
  if (!refusal && isLimited(request->path())) refusal = guards_.gate.refuseAddress(client);
  // Drogon itself would allow every origin what it asks for.
  if (!refusal && request->method() == drogon::Options) refusal = {ErrorCode::method_not_allowed};
  return refusal ? unrouted(*refusal, request) : nullptr;
}

ResponsePtr Router::unrouted(const Rejection& rejection, const drogon::HttpRequestPtr& request) {
  const auto parent = parentOf(request);
  const auto traceId =
      (parent ? parent->trace : TraceId{tracing_.newSpan(), tracing_.newSpan()}).hex();
  auto response = problem(rejection, traceId, request->getHeader("accept-language"));
  response->addHeader("X-Trace-Id", traceId);
  if (rejection.code == ErrorCode::method_not_allowed) {
    if (auto methods = allowedAt(request->path()); !methods.empty()) {
      response->addHeader("Allow", std::move(methods));
    }
  }
  addSecurityHeaders(*response, request->path());
  return response;
}

drogon::AsyncTask Router::run(Router* self, const Served* served, drogon::HttpRequestPtr request,
                              std::function<void(const ResponsePtr&)> callback,
                              std::vector<std::string> path) {
  const Time started = self->clock_.now();
  self->inFlight_.fetch_add(1, std::memory_order_relaxed);
  Call call;
  call.request = std::move(request);
  call.path = std::move(path);
  const auto parent = parentOf(call.request);
  call.parentSpan = parent ? parent->span : 0;
  call.context = self->tracing_.begin(parent, started);
  call.traceId = call.context.trace.hex();
  call.address = self->guards_.gate.clientOf(*call.request);
  ResponsePtr response;
  std::exception_ptr error;
  try {
    const auto sent = self->admit(served->route, call);
    if (sent) {
      auto tokenId = call.principal->tokenId;
      auto nonce = header(*call.request, kNonce);
      const bool repeatable = served->route.signing == Signing::repeatable;
      co_await self->guards_.signatures.takeNonce(std::move(tokenId), std::move(nonce), *sent,
                                                  repeatable);
    }
    permit(served->route, call);
    response = co_await served->route.handler(call);
  } catch (...) {
    error = std::current_exception();
  }
  std::optional<ErrorCode> refusal;
  if (error) {
    const auto rejection = rejectionOf(error, call, served->route.role);
    refusal = rejection.code;
    response = problem(rejection, call.traceId, call.request->getHeader("accept-language"));
  }
  if (self->recorder_ && isOperatorsChange(served->route, call)) {
    co_await self->recorder_(served->route, call, refusal);
  }
  response->addHeader("X-Trace-Id", call.traceId);
  addSecurityHeaders(*response, call.request->path());
  self->finish(*served, call, response, started);
  callback(response);
  self->inFlight_.fetch_sub(1, std::memory_order_relaxed);
}

// In the order the contract fixes: size, token, signature; then its nonce, and the right to do it.
// When the request was sent, if its nonce is to be used up.
std::optional<Time> Router::admit(const Route& route, Call& call) const {
  const bool fits = bodyBytes(call.request) <= route.bodyLimit;
  if (route.access.forNodes()) {
    admitNode(route, call, fits);
    return std::nullopt;
  }
  if (!fits) {
    throw Refused(ErrorCode::body_too_large,
                  fmt::format("the body may have at most {} bytes", route.bodyLimit));
  }
  return admitPrincipal(route, call);
}

// Whoever is no node learns no more than that there is nothing here.
void Router::admitNode(const Route& route, const Call& call, bool fits) const {
  const auto& request = call.request;
  const auto target = signedTarget(*request);
  const NodeParts parts{request->getHeader("x-tipflow-node"), name(route.method), target,
                        header(*request, kTimestamp), request->body()};
  if (fits && isSpelledAs(request->getOriginalPath(), route.path) &&
      guards_.nodes.accepts(parts, request->getHeader("x-tipflow-node-signature"))) {
    return;
  }
  if (const auto refusal = guards_.gate.refuseAddress(call.address)) throw Refused(*refusal);
  throw Refused(ErrorCode::route_not_found);
}

std::optional<Time> Router::admitPrincipal(const Route& route, Call& call) const {
  const auto& request = call.request;
  if (const auto token = bearerToken(header(*request, kAuthorization))) {
    call.principal = guards_.tokens.verify(*token);
    if (!call.principal && !route.access.open()) throw Refused(ErrorCode::unauthenticated);
  }
  if (!route.access.open() && !call.principal) throw Refused(ErrorCode::unauthenticated);
  if (call.principal) {
    auto refusal = guards_.gate.refuseViewer(*call.principal, call.address);
    if (refusal) throw Refused(*std::move(refusal));
  }
  if (route.signing == Signing::none) return std::nullopt;
  const auto target = signedTarget(*request);
  const auto sent =
      guards_.signatures.check(*call.principal,
                               {name(route.method), target, header(*request, kTimestamp),
                                header(*request, kNonce), request->body()},
                               header(*request, kSignature));
  return route.signing == Signing::traceIdIsNonce ? std::nullopt : sent;
}

void Router::permit(const Route& route, const Call& call) {
  if (!route.access.open() && !route.access.forNodes()) {
    const auto first = call.path.empty() ? std::nullopt : Call::parseId(call.path.front());
    if (!route.access.allows(*call.principal, first.value_or(0))) {
      throw Refused(ErrorCode::forbidden);
    }
  }
  if (call.request->body().empty()) return;
  const std::string& type = header(*call.request, kContentType);
  if (!type.starts_with("application/json")) throw Refused(ErrorCode::unsupported_media_type);
}

Router::Answered Router::answered() const {
  Answered answered;
  for (const auto& served : served_) {
    if (served->route.role == "platform") continue;  // probes, and roles that are elsewhere
    for (const auto* counter : served->requests) {
      answered.all += static_cast<std::int64_t>(counter->Value());
    }
    answered.failed += static_cast<std::int64_t>(served->requests.back()->Value());
  }
  return answered;
}

void Router::finish(const Served& served, const Call& call, const ResponsePtr& response,
                    Time started) {
  const auto status = static_cast<int>(response->getStatusCode());
  const Time now = clock_.now();
  served.requests[static_cast<std::size_t>(std::clamp(status / 100 - 1, 0, 4))]->Increment();
  served.seconds->Observe(static_cast<double>((now - started).count()) /
                          static_cast<double>(kUsPerSecond));
  const bool failed = status >= 500;
  if (tracing_.keeps(call.context, failed, now - started)) {
    log::span(
        {served.shown, served.route.role, call.context, call.parentSpan, started, now, failed},
        log::field("status", status), log::field("path", call.request->path()));
  }
  if (!log::enabled(log::Level::info)) return;
  thread_local std::string fields;
  fields.clear();
  describe(fields, name(served.route.method), *call.request);
  const auto append = [](const auto&... field) { (log::appendField(fields, field), ...); };
  append(log::field("status", status), log::field("ms", now - started));
  if (call.principal) {
    append(log::field("by", word(call.principal->kind)), log::field("id", call.principal->id));
  }
  fields += call.noted;
  log::write(log::Level::info, served.route.role, log::to(call.context), "request", fields);
}

}  // namespace tipflow::http
