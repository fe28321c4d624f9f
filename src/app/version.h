// What this binary was built from.
#pragma once

#include <string>

namespace tipflow::app {

extern const char* const kVersion;
extern const char* const kCommit;
extern const char* const kBuilt;

/// All of it in one line, for people.
std::string versionLine();

}  // namespace tipflow::app
