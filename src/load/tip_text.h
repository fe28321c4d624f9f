// The bodies by which tips are given, one or many to a request, and the answers to a batch. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/trace_id.h"
#include "load/choice.h"

namespace tipflow::load {

/// Appends `{"traceId":…,"roomId":…,…}`; with `viewerId` when it stands in a batch.
void appendTip(std::string& out, TraceId traceId, const Choice& choice, std::int64_t roomId,
               std::optional<std::int64_t> viewerId);

/// What became of one tip of a batch.
struct BatchResult {
  TraceId traceId;
  std::string_view status;  ///< created, exists, rejected
  std::string_view code;    ///< of a rejected one
  std::int64_t tipId = 0;   ///< 0: none
};

/// Reads the results of a batch one after the other.
class BatchResults {
 public:
  explicit BatchResults(std::string_view body);
  /// nullopt after the last, and for what is not a result.
  std::optional<BatchResult> next();

 private:
  std::string_view rest_;
};

}  // namespace tipflow::load
