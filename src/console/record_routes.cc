#include "console/record_routes.h"

#include <fmt/ranges.h>

namespace tipflow::console {
namespace {

using http::Access;
using http::Call;
using http::Method;
using http::ResponsePtr;
using http::Task;

constexpr std::int64_t kDayMs = 86'400'000;

void append(std::string& body, const char* name, const std::vector<std::string>& items) {
  body += fmt::format("\"{}\":[{}]", name, fmt::join(items, ","));
}

class Routes {
 public:
  explicit Routes(Records& records) : records_(records) {}

  Task<ResponsePtr> listLogs(Call& call) {
    LogFilter filter;
    filter.least = call.word<Severity>("level").value_or(Severity::debug);
    filter.role = call.text("service").value_or("");
    if (const auto query = call.text("q")) {
      filter.wanted = wantedWords(*query);
      if (filter.wanted.none()) {
        throw BadRequest("q", ErrorCode::invalid_format, "holds no word to look for");
      }
    }
    filter.trace = traceId(call);
    auto page = pageOf(call);
    co_return answer(co_await records_.logs(std::move(filter), page));
  }

  Task<ResponsePtr> listTraces(Call& call) {
    RootFilter filter;
    filter.role = call.text("service").value_or("");
    filter.name = call.text("name").value_or("");
    filter.least = Duration{call.integer("minDurationMs", 0, kDayMs).value_or(0) * kUsPerMs};
    if (const auto failed = call.text("error")) {
      if (*failed != "true" && *failed != "false") {
        throw BadRequest("error", ErrorCode::invalid_format, "must be true or false");
      }
      filter.failed = *failed == "true";
    }
    auto page = pageOf(call);
    co_return answer(co_await records_.traces(std::move(filter), page));
  }

  Task<ResponsePtr> getTrace(Call& call) {
    const auto id = call.pathTraceId(0);
    const auto trace = http::orRefuse(co_await records_.trace(id));
    std::string body =
        fmt::format("{{\"traceId\":\"{}\",\"complete\":{},", trace.traceId.hex(), trace.complete);
    append(body, "spans", trace.spans);
    body += ',';
    append(body, "logs", trace.logs);
    body += '}';
    co_return http::jsonResponse(200, std::move(body));
  }

 private:
  static std::optional<TraceId> traceId(const Call& call) {
    const auto text = call.text("traceId");
    if (!text) return std::nullopt;
    const auto id = TraceId::parse(*text);
    if (!id) {
      throw BadRequest("traceId", ErrorCode::invalid_format, "must be a UUID or 32 hex digits");
    }
    return id;
  }
  static RecordPage pageOf(const Call& call) {
    RecordPage page;
    const auto range = call.range();
    page.from = range.from.value_or(page.from);
    page.to = range.to.value_or(page.to);
    page.size = static_cast<std::size_t>(call.pageSize());
    if (const auto token = call.pageToken(2)) page.before = {Time{(*token)[0]}, (*token)[1]};
    return page;
  }
  static ResponsePtr answer(const ShownRecords& found) {
    std::optional<std::string> next;
    if (found.next) next = http::makePageToken({found.next->at.us, found.next->number});
    std::string body = "{";
    append(body, "items", found.items);
    body += ",\"nextPageToken\":";
    json::write(body, next);
    body += ",\"searchedTo\":";
    json::write(body, found.searchedTo);
    body += '}';
    return http::jsonResponse(200, std::move(body));
  }

  Records& records_;
};

}  // namespace

void addRecordRoutes(http::Router& router, Records& records) {
  const auto routes = std::make_shared<Routes>(records);
  const auto add = [&](const char* path, auto handler) {
    router.add({Method::get, path, Access::operators(),
                [routes, handler](Call& call) { return ((*routes).*handler)(call); },
                http::Signing::none, http::kBodyLimit, "console"});
  };
  add("/api/v1/admin/logs", &Routes::listLogs);
  add("/api/v1/admin/traces", &Routes::listTraces);
  add("/api/v1/admin/traces/{traceId}", &Routes::getTrace);
}

}  // namespace tipflow::console
