#include "room/ring.h"

#include <utility>

namespace tipflow::room {

void Ring::add(std::string event) {
  ++offset_;
  bytes_ += event.size();
  events_.push_back(std::move(event));
  while (bytes_ > mostBytes_ && !events_.empty()) {
    bytes_ -= events_.front().size();
    events_.pop_front();
  }
}

std::optional<std::string> Ring::since(std::int64_t offset) const {
  const auto missed = offset_ - offset;
  if (offset < 0 || missed < 0 || missed > static_cast<std::int64_t>(events_.size())) {
    return std::nullopt;
  }
  std::string joined;
  for (auto event = events_.end() - missed; event != events_.end(); ++event) {
    if (!joined.empty()) joined += ',';
    joined += *event;
  }
  return joined;
}

}  // namespace tipflow::room
