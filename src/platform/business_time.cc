#include "platform/business_time.h"

#include <fmt/format.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <stdexcept>

namespace tipflow {

// The C library's zone is one a process; nothing else here reads it.
BusinessTime::BusinessTime(const std::string& zone) {
  if (zone.empty() || zone.find("..") != std::string::npos ||
      !std::filesystem::is_regular_file("/usr/share/zoneinfo/" + zone)) {
    throw std::invalid_argument("business_time_zone: '" + zone +
                                "' is not known here; is the package tzdata installed?");
  }
  setenv("TZ", zone.c_str(), 1);
  tzset();
}

std::string BusinessTime::dayOf(Time time) const {
  const std::time_t seconds = time.us / kUsPerSecond;
  std::tm local{};
  localtime_r(&seconds, &local);
  return fmt::format("{:04}-{:02}-{:02}", local.tm_year + 1900, local.tm_mon + 1, local.tm_mday);
}

}  // namespace tipflow
