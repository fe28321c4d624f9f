// One function a command of the binary; each returns its exit code.
#pragma once

#include <string>
#include <vector>

#include "load/load.h"
#include "platform/config.h"

namespace tipflow::app {

int serve(const Config& config, const std::vector<std::string>& roles);
int migrate(const Config& config);
int audit(const Config& config);
int printRoutes(const Config& config);
int printVersion();

}  // namespace tipflow::app
