#include "edge/nginx.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace tipflow::edge {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr const char* kConfiguration = "nginx.conf";
constexpr milliseconds kLookEvery{20};
constexpr seconds kStartWithin{5};
constexpr seconds kQuitWithin{8};
constexpr seconds kEndWithin{2};

std::string contentOf(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::string found(const std::string& program) {
  if (program.find('/') != std::string::npos) return program;
  const char* path = std::getenv("PATH");
  // Servers live where ordinary users do not look.
  std::istringstream folders(
      fmt::format("{}:/usr/sbin:/usr/local/sbin", path == nullptr ? "" : path));
  for (std::string folder; std::getline(folders, folder, ':');) {
    const auto file = fs::path(folder) / program;
    if (access(file.c_str(), X_OK) == 0) return file;
  }
  throw std::runtime_error(fmt::format(
      "{} is not installed (Debian: nginx-light); edge.nginx says where it is", program));
}

/// Starts a program with the signals that we hold back let through, and without our environment,
/// which holds secrets. Its standard error goes to `errors`, or where ours goes when that is
/// negative.
pid_t spawn(const std::vector<std::string>& command, int errors) {
  std::vector<char*> arguments;
  for (const auto& part : command) arguments.push_back(const_cast<char*>(part.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  if (errors >= 0) posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  std::array<char*, 1> environment{nullptr};
  pid_t pid = 0;
  const int failure =
      posix_spawn(&pid, arguments[0], &actions, &attributes, arguments.data(), environment.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (failure != 0) {
    throw std::runtime_error(
        fmt::format("cannot start {}: {}", command[0], std::strerror(failure)));
  }
  return pid;
}

int exitCode(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

struct Ended {
  int code = 0;
  std::string errors;
};

Ended run(const std::vector<std::string>& command) {
  std::array<int, 2> pipe{};
  if (pipe2(pipe.data(), O_CLOEXEC) != 0) throw std::runtime_error("no more descriptors");
  const pid_t pid = spawn(command, pipe[1]);
  close(pipe[1]);
  Ended ended;
  std::array<char, 4'096> chunk{};
  for (;;) {
    const auto bytes = read(pipe[0], chunk.data(), chunk.size());
    if (bytes > 0) ended.errors.append(chunk.data(), static_cast<std::size_t>(bytes));
    if (bytes == 0 || (bytes < 0 && errno != EINTR)) break;
  }
  close(pipe[0]);
  ended.code = exitCode(pid);
  return ended;
}

bool within(steady_clock::duration time, const std::function<bool()>& condition) {
  const auto until = steady_clock::now() + time;
  while (!condition()) {
    if (steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(kLookEvery);
  }
  return true;
}

std::string commandLine(pid_t pid) { return contentOf(fmt::format("/proc/{}/cmdline", pid)); }

std::vector<pid_t> childrenOf(pid_t pid) {
  std::istringstream list(contentOf(fmt::format("/proc/{}/task/{}/children", pid, pid)));
  return {std::istream_iterator<pid_t>(list), {}};
}

}  // namespace

void replaceFile(const std::string& file, std::string_view content) {
  const auto temporary = file + ".new";
  std::ofstream stream(temporary, std::ios::binary | std::ios::trunc);
  stream.write(content.data(), static_cast<std::streamsize>(content.size()));
  stream.close();
  if (!stream || std::rename(temporary.c_str(), file.c_str()) != 0) {
    throw std::runtime_error(fmt::format("cannot write {}: {}", file, std::strerror(errno)));
  }
}

Nginx::Nginx(const std::string& program, const std::string& directory)
    : program_(found(program)), directory_(fs::absolute(directory).lexically_normal()) {
  std::error_code error;
  fs::create_directories(file("tmp"), error);
  lock_ = open(file("lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  if (error || lock_ < 0) {
    throw std::runtime_error(
        fmt::format("cannot write to {}: {}", directory_, std::strerror(errno)));
  }
  if (flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    close(lock_);
    throw std::runtime_error(fmt::format("another edge uses {}", directory_));
  }
}

Nginx::~Nginx() { close(lock_); }

std::string Nginx::file(std::string_view name) const {
  return fmt::format("{}/{}", directory_, name);
}

std::string Nginx::configuration() const { return contentOf(file(kConfiguration)); }

std::optional<std::string> Nginx::take(std::string_view configuration) {
  const auto candidate = file("candidate.conf");
  replaceFile(candidate, configuration);
  auto test = run({program_, "-p", directory_, "-c", candidate, "-e", "stderr", "-q", "-t"});
  if (test.code != 0) return std::move(test.errors);
  replaceFile(file(kConfiguration), configuration);
  if (const pid_t pid = master(); pid != 0) {
    kill(pid, SIGHUP);
  } else {
    start();
  }
  return std::nullopt;
}

// Its arguments stand behind its title, the last of them cut off, and name the directory: another
// nginx under a number that was ours once is not taken for ours.
pid_t Nginx::master() const {
  const auto pid = static_cast<pid_t>(std::atoi(contentOf(file("nginx.pid")).c_str()));
  if (pid <= 1) return 0;
  const auto line = commandLine(pid);
  const bool ours = line.find("master process") != std::string::npos &&
                    line.find(fmt::format(" -p {} ", directory_)) != std::string::npos;
  return ours ? pid : 0;
}

void Nginx::start() {
  const int code =
      exitCode(spawn({program_, "-p", directory_, "-c", file(kConfiguration), "-e", "stderr"}, -1));
  if (code != 0 || !within(kStartWithin, [this] { return master() != 0; })) {
    throw std::runtime_error("nginx did not start; what it said stands above");
  }
}

bool Nginx::keepRunning() {
  if (const pid_t pid = master(); pid != 0) {
    workers_ = childrenOf(pid);
    return false;
  }
  if (configuration().empty()) return false;
  endWorkersLeftBehind();
  start();
  return true;
}

// Workers outlive a master that was killed, and hold its port.
void Nginx::endWorkersLeftBehind() {
  for (const pid_t pid : workers_) {
    if (commandLine(pid).starts_with("nginx: worker process")) kill(pid, SIGQUIT);
  }
  workers_.clear();
}

void Nginx::quit() {
  const pid_t pid = master();
  if (pid == 0) return;
  const auto gone = [this] { return master() == 0; };
  kill(pid, SIGQUIT);
  if (within(kQuitWithin, gone)) return;
  kill(pid, SIGTERM);
  (void)within(kEndWithin, gone);
}

}  // namespace tipflow::edge
