// Days of the business time zone. Everything stored and answered is UTC; only sums by day need
// this.
#pragma once

#include <cstdint>
#include <string>

#include "base/time.h"

namespace tipflow {

class BusinessTime {
 public:
  /// `zone` such as Asia/Shanghai. Throws std::invalid_argument when this machine does not know it.
  explicit BusinessTime(const std::string& zone);
  /// The date there, as 2026-01-31.
  [[nodiscard]] std::string dayOf(Time time) const;
  /// The date there in days since 1970-01-01, and the hour of the day, 0 to 23.
  struct LocalHour {
    std::int64_t day = 0;
    int hour = 0;
  };
  [[nodiscard]] LocalHour localHour(Time time) const;
  /// The first UTC hour that begins on `day` there, or later. Sums by UTC hour are cut into days by
  /// when an hour begins.
  [[nodiscard]] Time firstHourOf(std::int64_t day) const;
  [[nodiscard]] const std::string& zone() const { return zone_; }

 private:
  std::string zone_;
};

/// Days since 1970-01-01 as 2026-01-31.
std::string formatDay(std::int64_t day);

}  // namespace tipflow
