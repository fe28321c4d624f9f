#include "platform/otlp.h"

#include <boost/json.hpp>
#include <set>

#include "base/time.h"

namespace tipflow {
namespace {

namespace json = boost::json;

constexpr int kServer = 2;    // SPAN_KIND_SERVER
constexpr int kInternal = 1;  // SPAN_KIND_INTERNAL
constexpr int kError = 2;     // STATUS_CODE_ERROR
constexpr std::int64_t kNanoseconds = 1'000;

json::object attribute(std::string_view key, const json::value& value) {
  json::object typed;
  if (value.is_string()) {
    typed["stringValue"] = value;
  } else if (value.is_bool()) {
    typed["boolValue"] = value;
  } else if (value.is_int64()) {
    typed["intValue"] = std::to_string(value.get_int64());  // int64 is text in proto3 JSON
  } else {
    typed["stringValue"] = json::serialize(value);
  }
  return {{"key", key}, {"value", typed}};
}

// What a span line says by itself; the rest of its members are attributes.
bool isOwnMember(std::string_view name) {
  static const std::set<std::string_view> own{"ts",      "span", "traceId", "spanId", "parentId",
                                              "startUs", "us",   "error",   "node"};
  return own.contains(name);
}

json::object spanOf(const json::object& line) {
  const auto start = line.at("startUs").to_number<std::int64_t>();
  const auto end = start + line.at("us").to_number<std::int64_t>();
  json::array attributes;
  for (const auto& [name, value] : line) {
    if (!isOwnMember(name)) attributes.push_back(attribute(name, value));
  }
  json::object span{{"traceId", line.at("traceId")},
                    {"spanId", line.at("spanId")},
                    {"name", line.at("span")},
                    {"kind", line.contains("status") ? kServer : kInternal},
                    {"startTimeUnixNano", std::to_string(start * kNanoseconds)},
                    {"endTimeUnixNano", std::to_string(end * kNanoseconds)},
                    {"attributes", attributes}};
  if (line.contains("parentId")) span["parentSpanId"] = line.at("parentId");
  if (line.at("error").as_bool()) span["status"] = json::object{{"code", kError}};
  return span;
}

}  // namespace

std::string otlpBody(std::string_view lines) {
  json::array spans;
  json::value node;
  eachLine(lines, [&](std::string_view text) {
    if (text.find("\"span\":") == std::string_view::npos) return;
    const auto line = json::parse({text.data(), text.size()}).as_object();
    if (!line.contains("span")) return;
    node = line.at("node");
    spans.push_back(spanOf(line));
  });
  if (spans.empty()) return {};
  const json::object resource{{"attributes", json::array{attribute("service.name", "tipflow"),
                                                         attribute("service.instance.id", node)}}};
  const json::object scope{{"scope", json::object{{"name", "tipflow"}}}, {"spans", spans}};
  return json::serialize(json::object{
      {"resourceSpans",
       json::array{json::object{{"resource", resource}, {"scopeSpans", json::array{scope}}}}}});
}

void OtlpSink::keep(std::string_view lines) {
  auto body = otlpBody(lines);
  if (body.empty()) return;
  poster_.post({std::move(body), "application/json"});
}

}  // namespace tipflow
