// The command line of `tipflow load watch`.
#pragma once

#include <CLI/CLI.hpp>

#include "load/watch/watch.h"

namespace tipflow::app {

/// Adds `watch` below `load`, which is told apart from it by whether this was asked for.
CLI::App* addWatchCommand(CLI::App& load, load::watch::WatchOptions& options);

}  // namespace tipflow::app
