#include "console/records.h"

#include <algorithm>
#include <map>

#include "console/record_view.h"
#include "platform/http/call.h"

namespace tipflow::console {
namespace {

constexpr std::size_t kMostOfTrace = 1'000;
constexpr std::size_t kMostCounted = 20'000;
// Spans stand where they end, and a node's clock may be behind another's.
constexpr Duration kBefore{60 * kUsPerSecond};

template <class Show>
std::vector<std::string> shown(const std::vector<KeptLine>& lines, Show show) {
  std::vector<std::string> out;
  out.reserve(lines.size());
  for (const auto& line : lines) out.push_back(show(line));
  return out;
}

}  // namespace

template <class Work>
drogon::Task<std::invoke_result_t<Work>> Records::run(Work work) {
  try {
    co_return co_await workers_.run(std::move(work));
  } catch (const Workers::Full&) {
    throw http::Refused(ErrorCode::overloaded);
  }
}

drogon::Task<ShownRecords> Records::logs(LogFilter filter, RecordPage page) {
  auto work = [this, &filter, &page]() -> ShownRecords {
    const auto found = find(filter, page, times_.page);
    return {shown(found.lines, shownLog), found.next, found.searchedTo};
  };
  co_return co_await run(std::move(work));
}

drogon::Task<ShownRecords> Records::traces(RootFilter filter, RecordPage page) {
  auto work = [this, &filter, &page] { return findRoots(filter, page); };
  co_return co_await run(std::move(work));
}

drogon::Task<Result<ShownTrace>> Records::trace(TraceId id) {
  auto work = [this, id] { return findTrace(id); };
  co_return co_await run(std::move(work));
}

Found Records::find(const RecordFilter& filter, const RecordPage& page, Duration limit) {
  return store_.find({filter, page.from, page.to, page.before, page.size,
                      std::chrono::steady_clock::now() + limit});
}

ShownRecords Records::findRoots(const RootFilter& filter, const RecordPage& page) {
  const auto found = find(filter, page, times_.roots);
  if (found.lines.empty()) return {{}, found.next, found.searchedTo};

  TraceFilter all;
  std::map<TraceId, std::int64_t> spans;
  for (const auto& line : found.lines) spans.emplace(traceOf(line), 0);
  for (const auto& [trace, _] : spans) all.ids.push_back(trace);
  RecordPage whole;
  whole.from = found.lines.back().place.at - kBefore;
  whole.size = kMostCounted;
  for (const auto& line : find(all, whole, times_.counts).lines) ++spans[traceOf(line)];

  return {shown(found.lines,
                [&](const KeptLine& line) { return shownRoot(line, spans[traceOf(line)]); }),
          found.next, found.searchedTo};
}

Result<ShownTrace> Records::findTrace(TraceId id) {
  RecordPage whole;
  whole.size = kMostOfTrace;
  TraceFilter filter;
  filter.ids = {id};
  auto spans = find(filter, whole, times_.trace);
  if (spans.lines.empty()) {
    // The id of a tip: its trace is that of the request that brought it.
    filter.ofTips = true;
    const auto ofTip = find(filter, whole, times_.trace);
    if (!ofTip.lines.empty()) {
      id = traceOf(ofTip.lines.back());
      filter.ids = {id};
      filter.ofTips = false;
      spans = find(filter, whole, times_.trace);
    }
  }
  LogFilter lines;
  lines.trace = id;
  const auto logs = find(lines, whole, times_.trace);
  if (spans.lines.empty() && logs.lines.empty()) {
    // Not found in time is not known to be absent.
    const bool looked = !spans.searchedTo && !logs.searchedTo;
    return looked ? ErrorCode::trace_not_found : ErrorCode::overloaded;
  }
  ShownTrace trace{id, shown(spans.lines, shownSpan), shown(logs.lines, shownLog),
                   !spans.next && !logs.next};
  std::reverse(trace.spans.begin(), trace.spans.end());
  std::reverse(trace.logs.begin(), trace.logs.end());
  return trace;
}

}  // namespace tipflow::console
