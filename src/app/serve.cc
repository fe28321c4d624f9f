// `tipflow serve`: what a process needs around a node: its directory, its keys, its log.
#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <iostream>

#include "app/commands.h"
#include "app/ground.h"
#include "app/node.h"
#include "app/termination.h"
#include "app/version.h"
#include "base/time.h"
#include "platform/log.h"

namespace tipflow::app {
namespace {

/// Holds the data directory for this process; two nodes on one would both believe to be alone.
class DirectoryLock {
 public:
  explicit DirectoryLock(const std::string& directory)
      : file_(open((directory + "/lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600)) {
    if (file_ < 0) {
      throw ConfigError(
          fmt::format("data_dir: cannot write to {}: {}", directory, std::strerror(errno)));
    }
    if (flock(file_, LOCK_EX | LOCK_NB) != 0) {
      close(file_);
      throw ConfigError(
          fmt::format("data_dir: another node uses {}; stop it, or give this one "
                      "a directory of its own (TIPFLOW_DATA_DIR)",
                      directory));
    }
  }
  ~DirectoryLock() { close(file_); }
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  int file_;
};

void writeSecret(const std::string& path, const std::string& text) {
  const int file = open(path.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
  const bool fine = file >= 0 &&
                    write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                    fsync(file) == 0;
  if (file >= 0) close(file);
  if (!fine) throw ConfigError(fmt::format("cannot write {}: {}", path, std::strerror(errno)));
}

/// The server itself would only end the process; this says what to do.
void checkPort(const Config& config) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(config.httpPort));
  if (inet_pton(AF_INET, config.httpAddress.c_str(), &address.sin_addr) != 1) return;  // IPv6
  const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const bool free = bind(probe, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  const int reason = errno;
  close(probe);
  if (!free) {
    throw ConfigError(
        fmt::format("http.port: cannot listen on {}:{}: {}; choose another one "
                    "(TIPFLOW_HTTP_PORT)",
                    config.httpAddress, config.httpPort, std::strerror(reason)));
  }
}

std::set<std::string> chosenRoles(const std::vector<std::string>& roles) {
  if (roles.empty()) return allRoles();
  for (const auto& role : roles) {
    if (!allRoles().contains(role)) {
      throw ConfigError(fmt::format("--roles: '{}' is not a role; there are: {}", role,
                                    fmt::join(allRoles(), ", ")));
    }
  }
  return {roles.begin(), roles.end()};
}

}  // namespace

int serve(const Config& config, const std::vector<std::string>& roles) {
  const Time began = SystemClock{}.now();
  umask(0077);  // databases, keys and logs are this account's alone
  const auto chosen = chosenRoles(roles);
  Termination termination;
  std::error_code error;
  std::filesystem::create_directories(config.dataDir + "/log", error);
  if (error) {
    throw ConfigError(fmt::format("data_dir: cannot make {}: {}", config.dataDir, error.message()));
  }
  const DirectoryLock lock(config.dataDir);
  checkPort(config);
  log::start({nodeName(config), log::levelFromWord(config.logLevel),
              config.logTo == "file" ? config.dataDir + "/log/tipflow.jsonl" : std::string{}});
  {
    KeySource tokenKeys(KeyKind::token, config.tokenKey, keyFile(KeyKind::token, config.dataDir));
    tokenKeys.makeIfAbsent(began);
    KeySource dataKeys(KeyKind::data, config.dataKeys, keyFile(KeyKind::data, config.dataDir));
    KeySource clusterKeys(KeyKind::token, config.clusterKey, config.dataDir + "/cluster-key");
    clusterKeys.makeIfAbsent(began);
    const std::string clusterKey(clusterKeys.keys()->front().secret.bytes());
    Node node(config, chosen, {tokenKeys, dataKeys, clusterKey});
    const auto password = node.start();
    if (!password.empty()) writeSecret(config.dataDir + "/admin-password", password + "\n");
    const auto ms = (SystemClock{}.now() - began).count() / kUsPerMs;
    std::cout << fmt::format("tipflow {} at http://{}:{} ({}), started in {} ms\n", kVersion,
                             config.httpAddress, config.httpPort, fmt::join(chosen, ", "), ms);
    if (!password.empty()) {
      std::cout << fmt::format("admin's password: {} (kept in {}/admin-password)\n", password,
                               config.dataDir);
    }
    std::cout << std::flush;
    termination.onRequest([&node] { node.drain(); });
    node.serve();
    termination.stop();
  }
  log::stop();
  return 0;
}

}  // namespace tipflow::app
