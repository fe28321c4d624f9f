#include "load/watch/servers.h"

#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

namespace tipflow::load::watch {

std::optional<Usage> usageOf(pid_t process) {
  const auto folder = "/proc/" + std::to_string(process);
  std::ifstream statm(folder + "/statm");
  std::int64_t pages = 0;
  std::int64_t resident = 0;
  if (!(statm >> pages >> resident)) return std::nullopt;
  std::ifstream stat(folder + "/stat");
  std::string line;
  if (!std::getline(stat, line)) return std::nullopt;
  // Behind the name, which may hold anything, the fields 3 to 13; then user and system time.
  constexpr int kBefore = 11;
  std::istringstream fields(line.substr(line.rfind(')') + 1));
  std::string skipped;
  for (int i = 0; i < kBefore; ++i) fields >> skipped;
  double user = 0;
  double system = 0;
  if (!(fields >> user >> system)) return std::nullopt;
  constexpr double kMiB = 1'048'576;
  return Usage{static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / kMiB,
               (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK))};
}

Usage usageOf(const std::vector<pid_t>& processes) {
  Usage sum;
  for (const auto process : processes) {
    if (const auto one = usageOf(process)) {
      sum.memoryMiB += one->memoryMiB;
      sum.cpuSeconds += one->cpuSeconds;
    }
  }
  return sum;
}

}  // namespace tipflow::load::watch
