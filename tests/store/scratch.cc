#include "store/scratch.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>
#include <string>

namespace tipflow::fixture {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMemory = "/dev/shm";
constexpr std::uintmax_t kRoomBytes = std::uintmax_t{2} << 30;
constexpr const char* kPrefix = "tipflow-store-";

fs::path parent() {
  std::error_code none;
  const auto space = fs::space(kMemory, none);
  const bool roomy = !none && space.available >= kRoomBytes && access(kMemory, W_OK) == 0;
  return roomy ? fs::path(kMemory) : fs::temp_directory_path();
}

/// Opens the directory and takes its lock, which ends with the process; -1 when another has it.
int lock(const fs::path& directory) {
  const int handle = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (handle >= 0 && flock(handle, LOCK_EX | LOCK_NB) == 0) return handle;
  if (handle >= 0) close(handle);
  return -1;
}

void removeLeftBehind(const fs::path& folder) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (!entry.path().filename().string().starts_with(kPrefix)) continue;
    const int handle = lock(entry.path());
    if (handle < 0) continue;
    fs::remove_all(entry.path(), ignored);
    close(handle);
  }
}

fs::path make() {
  const auto folder = parent();
  removeLeftBehind(folder);
  auto pattern = (folder / (std::string(kPrefix) + "XXXXXX")).string();
  if (mkdtemp(pattern.data()) == nullptr || lock(pattern) < 0) {
    throw std::runtime_error("cannot make " + pattern);
  }
  return pattern;
}

}  // namespace

const fs::path& scratch() {
  static const fs::path directory = make();
  return directory;
}

void removeScratch() {
  std::error_code ignored;
  fs::remove_all(scratch(), ignored);
}

}  // namespace tipflow::fixture
