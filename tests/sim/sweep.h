// Many seeds: all must be clean, or a planted fault be caught.
#pragma once

#include <functional>
#include <string>

#include "run.h"

namespace tipflow::sim {

struct SweepOptions {
  std::uint64_t seeds = 3'000;
  std::uint64_t from = 1;
  int jobs = 1;
  Blind blind;
  bool live = false;  ///< a progress line on stderr
};

using Print = std::function<void(const std::string&)>;

/// False when a seed breaks an invariant, a seed run twice differs, or something was never met.
bool sweep(const SweepOptions& options, const Print& print);
/// False when the mutant is not caught within its number of seeds by what it is planted against.
bool mustBeCaught(const MutantInfo& mutant, const Blind& blind, const Print& print);
/// Switches each check off and plants a fault that only it sees: `mustBeCaught` must fail.
bool blindnessMustBeNoticed(const Print& print);

}  // namespace tipflow::sim
