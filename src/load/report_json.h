// `--json`: everything a run came to, for machines. The shape is in README.md; names are stable.
#pragma once

#include <string>

#include "load/summary.h"

namespace tipflow::load {

std::string reportJson(const Settings& settings, const RunSummary& summary, int exitCode);

}  // namespace tipflow::load
