// Questions about the kept log lines and traces, asked on threads of their own and within a bounded
// time.
#pragma once

#include <drogon/utils/coroutine.h>

#include <string>
#include <vector>

#include "base/result.h"
#include "console/record_store.h"
#include "platform/workers.h"

namespace tipflow::console {

/// Which page of a list.
struct RecordPage {
  Time from{0};
  Time to = kFromNewest.at;
  Position before = kFromNewest;
  std::size_t size = 20;
};

/// A page as JSON items.
struct ShownRecords {
  std::vector<std::string> items;
  std::optional<Position> next;
  std::optional<Time> searchedTo;
};

struct ShownTrace {
  TraceId traceId;
  std::vector<std::string> spans;  ///< by start
  std::vector<std::string> logs;   ///< by time
  bool complete = true;            ///< false: there is more than is shown
};

/// How long each search may take: an answer comes within 200 ms, and what was not looked at by then
/// is left to the next page.
struct RecordTimes {
  Duration page{150 * kUsPerMs};
  Duration roots{90 * kUsPerMs};
  Duration counts{60 * kUsPerMs};
  Duration trace{40 * kUsPerMs};
};

class Records {
 public:
  explicit Records(RecordStore& store, RecordTimes times = {}) : store_(store), times_(times) {}

  drogon::Task<ShownRecords> logs(LogFilter filter, RecordPage page);
  drogon::Task<ShownRecords> traces(RootFilter filter, RecordPage page);
  /// `id`: of the trace, or one that its spans carry, such as a tip's.
  drogon::Task<Result<ShownTrace>> trace(TraceId id);

 private:
  template <class Work>
  drogon::Task<std::invoke_result_t<Work>> run(Work work);
  ShownRecords findRoots(const RootFilter& filter, const RecordPage& page);
  Result<ShownTrace> findTrace(TraceId id);
  Found find(const RecordFilter& filter, const RecordPage& page, Duration limit);

  static constexpr int kThreads = 2;
  static constexpr std::size_t kQueue = 64;

  RecordStore& store_;
  RecordTimes times_;
  Workers workers_{kThreads, kQueue, "records"};
};

}  // namespace tipflow::console
