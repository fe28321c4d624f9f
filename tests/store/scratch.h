// Where this run of the tests keeps its databases.
#pragma once

#include <filesystem>

namespace tipflow::fixture {

/// This run's own directory: in memory where there is room, since waiting for a disk would be most
/// of the tests' time and none of them pulls the plug. What a run that crashed left there is
/// removed.
const std::filesystem::path& scratch();
/// Removes it with all that is in it.
void removeScratch();

}  // namespace tipflow::fixture
