// When to ask again: how long to wait, and the queue of what is waiting.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <utility>
#include <vector>

#include "load/source.h"

namespace tipflow::load {

/// 503 and 429: certainly nothing was done, the same request may be made again.
inline bool refused(const Answer& answer) { return answer.status == 503 || answer.status == 429; }

/// The wait a refusal asks for: Retry-After between 0.1 and 5 seconds, 1 second when it names none.
inline MonotonicUs waitUs(const Answer& answer) {
  constexpr MonotonicUs kLeastUs = 100'000;
  constexpr MonotonicUs kMostUs = 5'000'000;
  return std::clamp(answer.retryAfterSeconds.value_or(1) * MonotonicUs{1'000'000}, kLeastUs,
                    kMostUs);
}

/// The wait after the `attempt`-th try (1, 2, …) whose outcome is unknown: 50 ms, doubling to 2 s.
inline MonotonicUs backOffUs(int attempt) {
  constexpr MonotonicUs kFirstUs = 50'000;
  constexpr MonotonicUs kMostUs = 2'000'000;
  constexpr int kDoublingsMost = 6;
  return std::min(kMostUs, kFirstUs << std::clamp(attempt - 1, 0, kDoublingsMost));
}

/// What is to be asked again, by the time it is due.
class RetryQueue {
 public:
  void add(MonotonicUs dueUs, std::uint64_t item) { waiting_.emplace(dueUs, item); }
  /// Takes the first item that is due.
  std::optional<std::uint64_t> take(MonotonicUs now) {
    if (empty() || dueUs() > now) return std::nullopt;
    const auto item = waiting_.top().second;
    waiting_.pop();
    return item;
  }
  [[nodiscard]] MonotonicUs dueUs() const {
    return waiting_.empty() ? kNever : waiting_.top().first;
  }
  [[nodiscard]] bool empty() const { return waiting_.empty(); }

 private:
  using Waiting = std::pair<MonotonicUs, std::uint64_t>;
  std::priority_queue<Waiting, std::vector<Waiting>, std::greater<>> waiting_;
};

}  // namespace tipflow::load
