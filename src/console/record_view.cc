#include "console/record_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/text.h"
#include "console/record.h"
#include "platform/json.h"

namespace tipflow::console {
namespace {

/// A line that is JSON throughout; one that is not is shown as a line that says so.
struct Checked {
  explicit Checked(const KeptLine& line) : text(line.text) {
    boost::json::error_code error;
    (void)boost::json::parse({text.data(), text.size()}, error);
    if (error) text = unreadable(line.text, line.place.at);
    record = *readRecord(text);
  }
  Checked(const Checked&) = delete;
  Checked& operator=(const Checked&) = delete;

  std::string text;
  Record record;  // views into `text`
};

// JSON text stays as it is; only what is not there is written anew.
void string(std::string& out, std::string_view name, std::string_view raw) {
  out += fmt::format(",\"{}\":\"{}\"", name, raw);
}
void stringOrNull(std::string& out, std::string_view name, std::string_view raw) {
  if (raw.empty()) {
    out += fmt::format(",\"{}\":null", name);
  } else {
    string(out, name, raw);
  }
}

// Of a name that was written twice the last counts, as everywhere in JSON.
void fields(std::string& out, std::string_view name, const std::vector<Member>& all) {
  out += fmt::format(",\"{}\":{{", name);
  bool first = true;
  for (auto at = all.begin(); at != all.end(); ++at) {
    const bool again =
        std::any_of(at + 1, all.end(), [&](const Member& other) { return other.name == at->name; });
    if (again) continue;
    out += fmt::format("{}\"{}\":{}", first ? "" : ",", at->name, at->value);
    first = false;
  }
  out += '}';
}

void timing(std::string& out, const Record& record) {
  out += fmt::format(R"(,"startedAt":"{}","durationMs":{},"error":{})", formatTime(record.at),
                     static_cast<double>(record.took.count()) / kUsPerMs, record.failed);
}

}  // namespace

std::string shownLog(const KeptLine& line) {
  const Checked checked(line);
  const auto& record = checked.record;
  auto out =
      fmt::format(R"({{"ts":"{}","level":"{}")", formatTime(record.at), word(record.severity));
  string(out, "role", record.role);
  string(out, "node", record.node);
  stringOrNull(out, "traceId", record.traceId);
  stringOrNull(out, "spanId", record.spanId);
  string(out, "msg", record.text);
  fields(out, "fields", record.fields);
  out += '}';
  return out;
}

std::string shownRoot(const KeptLine& line, std::int64_t spans) {
  const Checked checked(line);
  const auto& record = checked.record;
  auto out = fmt::format(R"({{"traceId":"{}")", traceOf(line).hex());
  string(out, "name", record.text);
  string(out, "role", record.role);
  string(out, "node", record.node);
  timing(out, record);
  out += fmt::format(",\"spans\":{}}}", spans);
  return out;
}

std::string shownSpan(const KeptLine& line) {
  const Checked checked(line);
  const auto& record = checked.record;
  auto out = fmt::format(R"({{"spanId":"{}")", record.spanId);
  stringOrNull(out, "parentId", record.parentId);
  string(out, "name", record.text);
  string(out, "role", record.role);
  string(out, "node", record.node);
  timing(out, record);
  fields(out, "attributes", record.fields);
  out += '}';
  return out;
}

TraceId traceOf(const KeptLine& line) {
  const auto record = readRecord(line.text);
  if (!record) return {};
  return TraceId::parse(record->traceId).value_or(TraceId{});
}

}  // namespace tipflow::console
