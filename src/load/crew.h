// Runs sources on drivers, a thread each, and listens for SIGINT and SIGTERM meanwhile.
#pragma once

#include <atomic>
#include <csignal>
#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "load/driver.h"

namespace tipflow::load {

using Drivers = std::vector<std::unique_ptr<Driver>>;

/// Runs source i on driver i; calls `look` every few milliseconds meanwhile, which may set `abort`.
/// Throws what a source threw, after all have ended.
void runAll(const Drivers& drivers, const std::vector<Source*>& sources, std::size_t depth,
            std::atomic<bool>& abort, const std::function<void()>& look);

/// Counts SIGINT and SIGTERM as long as it lives, in place of what they did before.
class Interrupts {
 public:
  Interrupts();
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  [[nodiscard]] static int seen();

 private:
  struct sigaction oldInterrupt_{};
  struct sigaction oldTerminate_{};
};

}  // namespace tipflow::load
