#include "platform/rpc/deadline.h"

namespace tipflow::rpc {
namespace {

constexpr std::int64_t kLongestMs = 60'000;

}  // namespace

Time deadlineOf(const http::Call& call) {
  std::int64_t leftMs = kLongestMs;
  const std::string& text = call.request->getHeader("x-tipflow-deadline-ms");
  if (const auto given = http::Call::parseId(text)) leftMs = std::min(*given, kLongestMs);
  return SystemClock{}.now() + Duration{leftMs * kUsPerMs};
}

}  // namespace tipflow::rpc
