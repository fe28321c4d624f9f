// `--html`: a run as one page that needs nothing else: no network, no scripts. Every chart is drawn
// here as SVG and has its table beside it.
#pragma once

#include <string>

#include "load/summary.h"

namespace tipflow::load {

std::string reportHtml(const Settings& settings, const RunSummary& summary, int exitCode);

}  // namespace tipflow::load
