// One request on its way through a handler: who asks, under which trace id, with what.
#pragma once

#include <drogon/HttpRequest.h>
#include <drogon/HttpResponse.h>
#include <drogon/utils/coroutine.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/trace_context.h"
#include "platform/http/address.h"
#include "platform/json.h"
#include "platform/log.h"
#include "platform/security/tokens.h"

namespace tipflow::http {

using ResponsePtr = drogon::HttpResponsePtr;
template <class T = void>
using Task = drogon::Task<T>;

/// Answers with a problem document. For what the handler itself decides; a service returns Result.
class Refused : public std::exception {
 public:
  explicit Refused(Rejection rejection) : rejection_(std::move(rejection)) {}
  explicit Refused(ErrorCode code, std::string detail = {}) : rejection_{code, std::move(detail)} {}
  [[nodiscard]] const Rejection& rejection() const { return rejection_; }
  [[nodiscard]] const char* what() const noexcept override { return "refused"; }

 private:
  Rejection rejection_;
};

class Call {
 public:
  drogon::HttpRequestPtr request;
  std::vector<std::string> path;               ///< values of the route's {…} places, in order
  TraceContext context;                        ///< the request's own span
  std::uint64_t parentSpan = 0;                ///< of whoever asked, 0 when they did not say
  std::string traceId;                         ///< of `context`, 32 hex digits
  std::shared_ptr<const Principal> principal;  ///< empty where a route is open and no token came
  Address address;                             ///< of the client, behind proxies that are trusted

  /// The JSON body; throws BadRequest with each field at fault.
  template <class T>
  [[nodiscard]] T body() const {
    return json::readBody<T>(request->body());
  }
  /// Of what takes no body: refused unless there is none, or an object without members.
  void noBody() const;
  /// A path place as an id; an id that cannot exist is refused with `notFound`.
  template <class IdType>
  [[nodiscard]] IdType pathId(std::size_t place, ErrorCode notFound) const {
    const auto id = parseId(path.at(place));
    if (!id) throw Refused(notFound);
    return IdType{*id};
  }
  /// A path place as a traceId; throws BadRequest.
  [[nodiscard]] TraceId pathTraceId(std::size_t place) const;

  /// Fields that belong into the line the log has of this request.
  template <class... T>
  void note(const log::Field<T>&... fields) {
    (log::appendField(noted, fields), ...);
  }
  std::string noted;  ///< `,"name":value…`

  /// What an operator's change is about and what it did, for the audit log; masked there. Without
  /// it, the request's path and body are recorded. `before`, `after`: JSON, or nothing.
  struct Change {
    std::string object;
    std::string before;
    std::string after;
  };
  std::optional<Change> change;

  [[nodiscard]] bool is(Role role) const { return principal && principal->role == role; }
  [[nodiscard]] bool isOperator() const { return is(Role::operator_) || is(Role::admin); }
  /// The viewer or anchor that asks; refused when somebody else does.
  [[nodiscard]] ViewerId viewer() const;
  [[nodiscard]] AnchorId anchor() const;

  // Query parameters; each throws BadRequest naming the parameter.
  [[nodiscard]] std::optional<std::string> text(const char* name) const;
  [[nodiscard]] std::optional<std::int64_t> integer(const char* name, std::int64_t least,
                                                    std::int64_t most) const;
  [[nodiscard]] std::optional<Time> time(const char* name) const;
  /// `from` and `to` of a list.
  struct TimeRange {
    std::optional<Time> from;
    std::optional<Time> to;
  };
  [[nodiscard]] TimeRange range() const;
  template <class IdType>
  [[nodiscard]] std::optional<IdType> id(const char* name) const {
    const auto value = integer(name, 1, kIdEnd - 1);
    return value ? std::optional(IdType{*value}) : std::nullopt;
  }
  template <class E>
  [[nodiscard]] std::optional<E> word(const char* name) const {
    const auto value = text(name);
    if (!value) return std::nullopt;
    const auto found = fromWord<E>(*value);
    if (!found) throw BadRequest(name, ErrorCode::invalid_format, "is not one of the known words");
    return found;
  }
  [[nodiscard]] int pageSize() const {
    return static_cast<int>(integer("pageSize", 1, 100).value_or(20));
  }
  /// The numbers inside a page token of ours; throws BadRequest when it is not one.
  [[nodiscard]] std::optional<std::vector<std::int64_t>> pageToken(std::size_t numbers) const;

  /// The text inside a page token of makeTextPageToken; throws BadRequest when it is not one.
  [[nodiscard]] std::optional<std::string> textPageToken() const;

  static std::optional<std::int64_t> parseId(std::string_view text);
};

/// An opaque token that `Call::pageToken` reads back.
std::string makePageToken(std::initializer_list<std::int64_t> numbers);
/// For lists that are ordered by a text; `Call::textPageToken` reads it back.
std::string makeTextPageToken(std::string_view text);

ResponsePtr jsonResponse(int status, std::string body);
ResponsePtr noContent();

template <class T>
ResponsePtr ok(const T& value) {
  return jsonResponse(200, json::toText(value));
}
template <class T>
ResponsePtr created(const T& value) {
  return jsonResponse(201, json::toText(value));
}

/// A page of a list: `{items, nextPageToken}`.
template <class T>
struct Page {
  std::vector<T> items;
  std::optional<std::string> nextPageToken;
};
template <class T>
ResponsePtr page(const Page<T>& page) {
  std::string body = "{\"items\":";
  json::write(body, page.items);
  body += ",\"nextPageToken\":";
  json::write(body, page.nextPageToken);
  body += '}';
  return jsonResponse(200, std::move(body));
}

/// The value, or Refused.
template <class T>
T orRefuse(Result<T> result) {
  if (!result) throw Refused(result.error());
  return *std::move(result);
}

}  // namespace tipflow::http
