// What the server's processes use, as the kernel has it.
#pragma once

#include <sys/types.h>

#include <optional>
#include <vector>

namespace tipflow::load::watch {

struct Usage {
  double memoryMiB = 0;   ///< resident
  double cpuSeconds = 0;  ///< user and system, since its start
};

/// nullopt when there is no such process.
std::optional<Usage> usageOf(pid_t process);
/// Of all of them together; those that are gone are left out.
Usage usageOf(const std::vector<pid_t>& processes);

}  // namespace tipflow::load::watch
