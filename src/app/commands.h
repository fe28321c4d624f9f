// One function a command of the binary; each returns its exit code.
#pragma once

#include <string>
#include <vector>

#include "load/load.h"
#include "platform/config.h"

namespace tipflow::app {

int serve(const Config& config, const std::vector<std::string>& roles);
int migrate(const Config& config);
/// `record`: a client's record to be compared too; none when empty.
int audit(const Config& config, const std::string& record);
int printRoutes(const Config& config);
int printVersion();

}  // namespace tipflow::app
