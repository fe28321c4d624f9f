#include "store/mariadb.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "store/scratch.h"

namespace tipflow::fixture {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr seconds kStartWithin{30};
constexpr milliseconds kLookEvery{20};
// Another program may take the free port before the server does.
constexpr int kStarts = 3;

std::unique_ptr<MariaDb>& server() {
  static std::unique_ptr<MariaDb> instance;
  return instance;
}

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

/// Starts a program that dies with this thread, its output going to `log`.
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

bool isRoot() { return geteuid() == 0; }

}  // namespace

MariaDb& MariaDb::running() {
  // What failed once would fail for every test, each after a long wait.
  static std::optional<std::string> failure;
  if (failure) throw std::runtime_error(*failure);
  if (!server()) {
    try {
      server().reset(new MariaDb());
    } catch (const std::exception& error) {
      failure = error.what();
      throw;
    }
  }
  return *server();
}

void MariaDb::stop() { server().reset(); }

MariaDb::MariaDb() : directory_(scratch() / "mariadb") {
  fs::create_directory(directory_);
  try {
    install();
    start();
  } catch (...) {
    if (server_ > 0) end();
    throw;
  }
}

MariaDb::~MariaDb() {
  admin_.reset();
  end();
}

// Nothing of it is kept, so it need not end in good order.
void MariaDb::end() const {
  kill(server_, SIGKILL);
  waitpid(server_, nullptr, 0);
}

void MariaDb::install() {
  std::vector<std::string> arguments{"--no-defaults", "--auth-root-authentication-method=normal",
                                     "--datadir=" + (directory_ / "data").string(),
                                     "--skip-test-db", "--innodb-log-file-size=8M"};
  if (isRoot()) arguments.emplace_back("--user=root");
  const pid_t installer =
      spawn(program("mariadb-install-db"), arguments, directory_ / "install.log");
  int status = 0;
  waitpid(installer, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    throw std::runtime_error("mariadb-install-db failed:\n" + log());
  }
}

void MariaDb::start() {
  for (int attempt = 1;; ++attempt) {
    port_ = freePort();
    std::vector<std::string> arguments{"--no-defaults",
                                       "--datadir=" + (directory_ / "data").string(),
                                       "--socket=" + (directory_ / "socket").string(),
                                       "--pid-file=" + (directory_ / "pid").string(),
                                       "--bind-address=127.0.0.1",
                                       fmt::format("--port={}", port_),
                                       "--skip-name-resolve",
                                       "--innodb-flush-log-at-trx-commit=1",
                                       "--innodb-log-file-size=8M",
                                       "--innodb-buffer-pool-size=64M"};
    if (isRoot()) arguments.emplace_back("--user=root");
    server_ = spawn(program("mariadbd"), arguments, directory_ / "server.log");
    const auto deadline = steady_clock::now() + kStartWithin;
    while (steady_clock::now() < deadline) {
      if (waitpid(server_, nullptr, WNOHANG) == server_) {
        server_ = -1;
        break;
      }
      if (answers()) return;
      std::this_thread::sleep_for(kLookEvery);
    }
    if (server_ > 0 || attempt == kStarts) {
      throw std::runtime_error("MariaDB does not answer:\n" + log());
    }
  }
}

bool MariaDb::answers() {
  try {
    admin_ = db::connect(url());
    return true;
  } catch (const db::Unavailable&) {
    return false;
  }
}

std::string MariaDb::log() const {
  std::ostringstream text;
  for (const char* name : {"install.log", "server.log"}) {
    if (std::ifstream file(directory_ / name); file) text << file.rdbuf();
  }
  return text.str();
}

db::Url MariaDb::url() const {
  db::Url url;
  url.dialect = db::Dialect::mysql;
  url.user = "root";
  url.host = "127.0.0.1";
  url.port = port_;
  url.database = "mysql";
  return url;
}

db::Url MariaDb::newDatabase() {
  auto made = url();
  made.database = fmt::format("tipflow_{}", ++databases_);
  admin_->exec("CREATE DATABASE " + made.database);
  return made;
}

}  // namespace tipflow::fixture
