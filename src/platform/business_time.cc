#include "platform/business_time.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <stdexcept>

namespace tipflow {
namespace {

constexpr std::int64_t kFurthestZoneHours = 15;

}  // namespace

// The C library's zone is one a process; nothing else here reads it.
BusinessTime::BusinessTime(const std::string& zone) : zone_(zone) {
  if (zone.empty() || zone.find("..") != std::string::npos ||
      !std::filesystem::is_regular_file("/usr/share/zoneinfo/" + zone)) {
    throw std::invalid_argument("business_time_zone: '" + zone +
                                "' is not known here; is the package tzdata installed?");
  }
  setenv("TZ", zone.c_str(), 1);
  tzset();
}

std::string BusinessTime::dayOf(Time time) const { return formatDay(localHour(time).day); }

BusinessTime::LocalHour BusinessTime::localHour(Time time) const {
  const std::time_t seconds = time.us / kUsPerSecond;
  std::tm local{};
  localtime_r(&seconds, &local);
  const std::chrono::year_month_day date{
      std::chrono::year{local.tm_year + 1900},
      std::chrono::month{static_cast<unsigned>(local.tm_mon + 1)},
      std::chrono::day{static_cast<unsigned>(local.tm_mday)}};
  return {std::chrono::sys_days{date}.time_since_epoch().count(), local.tm_hour};
}

Time BusinessTime::firstHourOf(std::int64_t day) const {
  // No zone is further from UTC than this. Counting hours also stands days that a zone has left
  // out.
  Time hour{day * kUsPerDay - kFurthestZoneHours * kUsPerHour};
  while (localHour(hour).day < day) hour = hour + Duration{kUsPerHour};
  return hour;
}

std::string formatDay(std::int64_t day) {
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{day}}};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

}  // namespace tipflow
