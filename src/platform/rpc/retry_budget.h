// How many calls may be made a second time: a fifth of those made a first time, so that retries
// never multiply an overload. Pure.
#pragma once

#include <algorithm>

namespace tipflow::rpc {

struct RetryLimits {
  double share = 0.2;  ///< retries a first call earns
  double least = 3;    ///< to begin with, so that a quiet caller may retry too
  double most = 100;   ///< saved up at most
};

/// Not thread-safe: the caller holds a lock.
class RetryBudget {
 public:
  explicit RetryBudget(RetryLimits limits) : limits_(limits), saved_(limits.least) {}

  void onCall() { saved_ = std::min(saved_ + limits_.share, limits_.most); }
  /// Whether a call may be made again; takes it from what is saved.
  [[nodiscard]] bool take() {
    if (saved_ < 1) return false;
    saved_ -= 1;
    return true;
  }

 private:
  RetryLimits limits_;
  double saved_;
};

}  // namespace tipflow::rpc
