// The options of `tipflow load`, as people write them.
#pragma once

#include <CLI/CLI.hpp>

#include "load/load.h"

namespace tipflow::app {

/// Adds the command; its options are written into `options`, which must outlive the parsing.
CLI::App* addLoadCommand(CLI::App& cli, load::LoadOptions& options);

}  // namespace tipflow::app
