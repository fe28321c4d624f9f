// One run of a plan, from the first operation until everything has drained.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "auditor.h"
#include "mutants.h"
#include "plan.h"

namespace tipflow::sim {

struct RunResult {
  std::optional<Violation> violation;
  std::uint64_t hash = 0;
  std::uint64_t steps = 0;
  Coverage coverage;
  std::vector<std::string> trace;  ///< its last lines, when asked for
};

/// `traceLines` 0: no trace.
RunResult run(const Plan& plan, Mutant mutant, const Blind& blind, std::size_t traceLines = 0);

/// The smallest plan that was found to break the same invariant, by leaving operations out.
Plan shrunk(const Plan& plan, Mutant mutant, const Blind& blind, const std::string& invariant);

}  // namespace tipflow::sim
