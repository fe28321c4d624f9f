// Whether what was asked for can be done, and what it comes to.
#pragma once

#include <string>
#include <variant>

#include "load/summary.h"

namespace tipflow::load {

/// The settings, or what is wrong with the options. Raises the limit of open files as needed.
std::variant<Settings, std::string> settingsOf(const LoadOptions& options);

}  // namespace tipflow::load
