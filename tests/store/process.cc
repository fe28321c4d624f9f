#include "store/process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>
#include <stdexcept>

namespace tipflow::fixture {
namespace {

namespace fs = std::filesystem;

}  // namespace

fs::path program(const std::string& name) {
  const char* path = std::getenv("PATH");
  // Servers live where ordinary users do not look.
  std::istringstream folders(fmt::format("{}:/usr/sbin:/usr/local/sbin:/usr/local/bin:/usr/bin",
                                         path != nullptr ? path : ""));
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (const auto file = fs::path(folder) / name; access(file.c_str(), X_OK) == 0) return file;
  }
  throw std::runtime_error(name + " is not installed");
}

int freePort() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const bool found = bind(socket, generic, size) == 0 && getsockname(socket, generic, &size) == 0;
  close(socket);
  if (!found) throw std::runtime_error("there is no free port on 127.0.0.1");
  return ntohs(address.sin_port);
}

pid_t spawn(const fs::path& file, const std::vector<std::string>& arguments, const fs::path& log) {
  std::vector<char*> argv{const_cast<char*>(file.c_str())};
  for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("cannot start " + file.string());
  if (child > 0) return child;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  const int in = open("/dev/null", O_RDONLY);
  if (out < 0 || in < 0) _exit(127);
  dup2(in, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(out, STDERR_FILENO);
  execv(argv[0], argv.data());
  _exit(127);
}

}  // namespace tipflow::fixture
