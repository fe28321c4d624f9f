// What this binary was built from.
#pragma once

namespace tipflow::app {

extern const char* const kVersion;
extern const char* const kCommit;
extern const char* const kBuilt;

}  // namespace tipflow::app
