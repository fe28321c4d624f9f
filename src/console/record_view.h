// Kept lines as the API shows them: JSON made from the JSON that was kept, every piece of which is
// looked at again before it goes out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "console/record_search.h"

namespace tipflow::console {

/// `{ts, level, role, node, traceId, spanId, msg, fields}`.
std::string shownLog(const KeptLine& line);
/// `{traceId, name, role, node, startedAt, durationMs, error, spans}`.
std::string shownRoot(const KeptLine& line, std::int64_t spans);
/// `{spanId, parentId, name, role, node, startedAt, durationMs, error, attributes}`.
std::string shownSpan(const KeptLine& line);

/// The trace that a kept line belongs to; zero when it names none.
TraceId traceOf(const KeptLine& line);

}  // namespace tipflow::console
