// Days of the business time zone. Everything stored and answered is UTC; only sums by day need
// this.
#pragma once

#include <string>

#include "base/time.h"

namespace tipflow {

class BusinessTime {
 public:
  /// `zone` such as Asia/Shanghai. Throws std::invalid_argument when this machine does not know it.
  explicit BusinessTime(const std::string& zone);
  /// The date there, as 2026-01-31.
  [[nodiscard]] std::string dayOf(Time time) const;
};

}  // namespace tipflow
