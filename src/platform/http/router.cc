#include "platform/http/router.h"

#include <drogon/HttpAppFramework.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>

#include "platform/db/connection.h"
#include "platform/http/problem.h"
#include "platform/log.h"

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

constexpr std::string_view kHex = "0123456789abcdef";

bool isHex(std::string_view text) { return text.find_first_not_of(kHex) == std::string_view::npos; }
bool isHexId(std::string_view text, std::size_t digits) {
  return text.size() == digits && isHex(text) &&
         text.find_first_not_of('0') != std::string_view::npos;
}

/// The trace id of a `traceparent` header (W3C Trace Context, section 3.2); empty when it is not
/// one.
std::string_view traceIdIn(std::string_view parent) {
  if (parent.size() < 55 || parent[2] != '-' || parent[35] != '-' || parent[52] != '-') return {};
  const auto version = parent.substr(0, 2);
  const bool longer = parent.size() > 55;  // allowed from version 01 on, behind a dash
  if (!isHex(version) || version == "ff" || (longer && (version == "00" || parent[55] != '-'))) {
    return {};
  }
  const auto traceId = parent.substr(3, 32);
  const bool valid =
      isHexId(traceId, 32) && isHexId(parent.substr(36, 16), 16) && isHex(parent.substr(53, 2));
  return valid ? traceId : std::string_view{};
}

/// What the client announced, or what came. A body that went to a file counts in full.
std::size_t bodyBytes(const drogon::HttpRequestPtr& request) {
  const std::string& announced = request->getHeader("content-length");
  std::size_t bytes = 0;
  std::from_chars(announced.data(), announced.data() + announced.size(), bytes);
  return std::max(bytes, request->bodyLength());
}

// What to tell the client of an exception that a handler let out.
Rejection rejectionOf(const std::exception_ptr& error, const Call& call, std::string_view role) {
  const auto complain = [&](log::Level level, const char* what) {
    log::line(level, role, call.traceId, "request failed", log::field("path", call.request->path()),
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

}  // namespace

struct Router::Served {
  Route route;
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

Router::Router(Tokens& tokens, SignatureCheck& signatures, Metrics& metrics, const Clock& clock,
               Random& random)
    : tokens_(tokens), signatures_(signatures), metrics_(metrics), clock_(clock), random_(random) {}

Router::~Router() = default;

void Router::add(Route route) {
  if (!route.access.declared()) {
    throw std::logic_error("no access rule for " + std::string(name(route.method)) + " " +
                           route.path);
  }
  if (route.access.open() && route.signing != Signing::none) {
    throw std::logic_error("nobody's key could sign for " + route.path);
  }
  routes_.push_back(std::move(route));
}

void Router::install() {
  auto& app = drogon::app();
  for (auto& route : routes_) {
    auto served = std::make_unique<Served>();
    served->route = route;
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
    } else {
      throw std::logic_error("more than one place in " + route.path);
    }
  }
  app.setCustomErrorHandler(
      [this](drogon::HttpStatusCode status, const drogon::HttpRequestPtr& request) {
        const auto traceId = traceIdOf(request);
        const auto code = status == drogon::k405MethodNotAllowed ? ErrorCode::method_not_allowed
                          : status == drogon::k404NotFound       ? ErrorCode::route_not_found
                          : status == drogon::k413RequestEntityTooLarge ? ErrorCode::body_too_large
                          : status >= drogon::k500InternalServerError   ? ErrorCode::internal_error
                                                                      : ErrorCode::invalid_request;
        auto response = problem({code}, traceId, request->getHeader("accept-language"));
        response->addHeader("X-Trace-Id", traceId);
        return response;
      });
}

drogon::AsyncTask Router::run(Router* self, const Served* served, drogon::HttpRequestPtr request,
                              std::function<void(const ResponsePtr&)> callback,
                              std::vector<std::string> path) {
  const Time started = self->clock_.now();
  self->inFlight_.fetch_add(1, std::memory_order_relaxed);
  Call call{std::move(request), std::move(path), {}, nullptr};
  call.traceId = self->traceIdOf(call.request);
  ResponsePtr response;
  std::exception_ptr error;
  try {
    self->admit(served->route, call);
    response = co_await served->route.handler(call);
  } catch (...) {
    error = std::current_exception();
  }
  if (error) {
    response = problem(rejectionOf(error, call, served->route.role), call.traceId,
                       call.request->getHeader("accept-language"));
  }
  response->addHeader("X-Trace-Id", call.traceId);
  self->finish(*served, call, response, started);
  callback(response);
  self->inFlight_.fetch_sub(1, std::memory_order_relaxed);
}

// In the order the contract fixes: size, token, signature; then the right to do it.
void Router::admit(const Route& route, Call& call) const {
  const auto& request = call.request;
  if (bodyBytes(request) > route.bodyLimit) {
    throw Refused(ErrorCode::body_too_large,
                  fmt::format("the body may have at most {} bytes", route.bodyLimit));
  }
  const std::string& authorization = request->getHeader("authorization");
  constexpr std::string_view kBearer = "Bearer ";
  if (authorization.starts_with(kBearer)) {
    call.principal = tokens_.verify(std::string_view(authorization).substr(kBearer.size()));
    if (!call.principal && !route.access.open()) throw Refused(ErrorCode::unauthenticated);
  }
  if (!route.access.open() && !call.principal) throw Refused(ErrorCode::unauthenticated);
  if (route.signing != Signing::none) {
    std::string target = request->getOriginalPath();
    if (!request->query().empty()) target += "?" + request->query();
    signatures_.check(*call.principal,
                      {name(route.method), target, request->getHeader("x-tipflow-timestamp"),
                       request->getHeader("x-tipflow-nonce"), request->body()},
                      request->getHeader("x-tipflow-signature"),
                      route.signing == Signing::required);
  }
  if (!route.access.open()) {
    const auto first = call.path.empty() ? std::nullopt : Call::parseId(call.path.front());
    if (!route.access.allows(*call.principal, first.value_or(0))) {
      throw Refused(ErrorCode::forbidden);
    }
  }
  if (!request->body().empty()) {
    const std::string& type = request->getHeader("content-type");
    if (!type.starts_with("application/json")) throw Refused(ErrorCode::unsupported_media_type);
  }
}

std::string Router::traceIdOf(const drogon::HttpRequestPtr& request) const {
  const auto traced = traceIdIn(request->getHeader("traceparent"));
  if (!traced.empty()) return std::string(traced);
  const std::string& given = request->getHeader("x-trace-id");
  if (isHexId(given, 32)) return given;
  return TraceId{random_.bits(), random_.bits()}.hex();
}

void Router::finish(const Served& served, const Call& call, const ResponsePtr& response,
                    Time started) {
  const auto status = static_cast<int>(response->getStatusCode());
  const double seconds =
      static_cast<double>((clock_.now() - started).count()) / static_cast<double>(kUsPerSecond);
  served.requests[static_cast<std::size_t>(std::clamp(status / 100 - 1, 0, 4))]->Increment();
  served.seconds->Observe(seconds);
  if (!log::enabled(log::Level::info)) return;
  const auto ms = static_cast<std::int64_t>(seconds * 1e6) / 1000.0;
  if (call.principal) {
    log::line(log::Level::info, served.route.role, call.traceId, "request",
              log::field("method", name(served.route.method)),
              log::field("path", call.request->path()), log::field("status", status),
              log::field("ms", ms), log::field("by", word(call.principal->kind)),
              log::field("id", call.principal->id));
  } else {
    log::line(log::Level::info, served.route.role, call.traceId, "request",
              log::field("method", name(served.route.method)),
              log::field("path", call.request->path()), log::field("status", status),
              log::field("ms", ms));
  }
}

}  // namespace tipflow::http
