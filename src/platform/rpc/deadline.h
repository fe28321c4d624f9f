// Until when whoever made a call between nodes waits for its answer.
#pragma once

#include "platform/http/call.h"

namespace tipflow::rpc {

inline constexpr const char* kDeadlineHeader = "X-Tipflow-Deadline-Ms";

/// By this node's clock; far away when the call does not say.
[[nodiscard]] Time deadlineOf(const http::Call& call);

}  // namespace tipflow::rpc
