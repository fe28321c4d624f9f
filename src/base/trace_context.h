// Where a piece of work belongs: the trace it is part of and the span that asked for it, as they
// travel between nodes (W3C Trace Context, `traceparent`).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/trace_id.h"

namespace tipflow {

struct TraceContext {
  TraceId trace;
  std::uint64_t span = 0;  ///< of whoever asks; 0: nobody did
  bool sampled = false;    ///< whether its spans are kept

  /// The same trace, one span further in.
  [[nodiscard]] TraceContext child(std::uint64_t ownSpan) const {
    return {trace, ownSpan, sampled};
  }

  /// `00-<trace>-<span>-01`.
  [[nodiscard]] std::string header() const;
  /// What a `traceparent` header says (W3C Trace Context, section 3.2); nullopt when it is none.
  static std::optional<TraceContext> parse(std::string_view header);
};

/// 16 lower-case hex digits.
std::string spanHex(std::uint64_t span);

}  // namespace tipflow
