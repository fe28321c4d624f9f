#include "platform/http/call.h"

#include <fmt/ranges.h>

#include <charconv>

#include "platform/security/crypto.h"

namespace tipflow::http {
namespace {

struct Nothing {};
BOOST_DESCRIBE_STRUCT(Nothing, (), ())

BadRequest wrongPageToken() {
  return BadRequest("pageToken", ErrorCode::invalid_format, "is not one that a list gave out");
}

bool isUtf8(std::string_view text) {
  while (!text.empty()) {
    const auto size = firstCharacter(text).size;
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

}  // namespace

std::optional<std::int64_t> Call::parseId(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 1 || value >= kIdEnd) {
    return std::nullopt;
  }
  return value;
}

void Call::noBody() const {
  if (!request->body().empty()) (void)body<Nothing>();
}

TraceId Call::pathTraceId(std::size_t place) const {
  const auto id = TraceId::parse(path.at(place));
  if (!id)
    throw BadRequest("traceId", ErrorCode::invalid_format, "must be a UUID or 32 hex digits");
  return *id;
}

ViewerId Call::viewer() const {
  if (!principal || principal->kind != PrincipalKind::viewer) throw Refused(ErrorCode::forbidden);
  return ViewerId{principal->id};
}

AnchorId Call::anchor() const {
  if (!principal || principal->kind != PrincipalKind::anchor) throw Refused(ErrorCode::forbidden);
  return AnchorId{principal->id};
}

std::optional<std::string> Call::text(const char* name) const {
  const auto value = request->getOptionalParameter<std::string>(name);
  if (!value || value->empty()) return std::nullopt;
  if (value->size() > 256) {
    throw BadRequest(name, ErrorCode::out_of_range, "must have at most 256 bytes");
  }
  if (!isUtf8(*value)) throw BadRequest(name, ErrorCode::invalid_format, "must be UTF-8");
  return value;
}

std::optional<std::int64_t> Call::integer(const char* name, std::int64_t least,
                                          std::int64_t most) const {
  const auto value = text(name);
  if (!value) return std::nullopt;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), number);
  if (error == std::errc::result_out_of_range)
    number = most + 1;
  else if (error != std::errc{} || end != value->data() + value->size()) {
    throw BadRequest(name, ErrorCode::wrong_type, "must be an integer");
  }
  if (number < least || number > most) {
    throw BadRequest(name, ErrorCode::out_of_range,
                     fmt::format("must be from {} to {}", least, most));
  }
  return number;
}

std::optional<Time> Call::time(const char* name) const {
  const auto value = text(name);
  if (!value) return std::nullopt;
  const auto parsed = parseTime(*value);
  if (!parsed) {
    throw BadRequest(name, ErrorCode::invalid_format,
                     "must be RFC 3339, such as 2026-01-31T08:30:00.000Z");
  }
  return parsed;
}

Call::TimeRange Call::range() const {
  const TimeRange range{time("from"), time("to")};
  if (range.from && range.to && *range.to < *range.from) {
    throw BadRequest("to", ErrorCode::out_of_range, "must not lie before from");
  }
  return range;
}

std::optional<std::vector<std::int64_t>> Call::pageToken(std::size_t numbers) const {
  const auto token = text("pageToken");
  if (!token) return std::nullopt;
  const auto decoded = crypto::fromBase64Url(*token);
  if (!decoded) throw wrongPageToken();
  std::vector<std::int64_t> values;
  std::string_view rest = *decoded;
  while (!rest.empty()) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
    if (error != std::errc{}) throw wrongPageToken();
    values.push_back(value);
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    if (!rest.empty() && rest.front() == ':') rest.remove_prefix(1);
  }
  if (values.size() != numbers) throw wrongPageToken();
  return values;
}

std::optional<std::string> Call::textPageToken() const {
  const auto token = text("pageToken");
  if (!token) return std::nullopt;
  auto decoded = crypto::fromBase64Url(*token);
  if (!decoded || decoded->empty() || !isUtf8(*decoded)) throw wrongPageToken();
  return decoded;
}

std::string makeTextPageToken(std::string_view text) { return crypto::toBase64Url(text); }

std::string makePageToken(std::initializer_list<std::int64_t> numbers) {
  return crypto::toBase64Url(fmt::format("{}", fmt::join(numbers, ":")));
}

ResponsePtr jsonResponse(int status, std::string body) {
  auto response = drogon::HttpResponse::newHttpResponse(static_cast<drogon::HttpStatusCode>(status),
                                                        drogon::CT_APPLICATION_JSON);
  response->setBody(std::move(body));
  return response;
}

ResponsePtr noContent() {
  auto response = drogon::HttpResponse::newHttpResponse();
  response->setStatusCode(drogon::k204NoContent);
  return response;
}

}  // namespace tipflow::http
