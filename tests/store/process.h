// Programs that tests start: where they are, a port for them, and that they end with the tests.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace tipflow::fixture {

/// An executable by its name. Throws std::runtime_error when it is not installed.
std::filesystem::path program(const std::string& name);
/// A port of 127.0.0.1 that nobody listens on now.
int freePort();
/// Starts a program that dies with this thread, its output going to `log`.
pid_t spawn(const std::filesystem::path& file, const std::vector<std::string>& arguments,
            const std::filesystem::path& log);

}  // namespace tipflow::fixture
