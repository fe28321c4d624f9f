#include "store/mariadb.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "store/process.h"
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

db::Url ownUrl(int port) {
  db::Url url;
  url.dialect = db::Dialect::mysql;
  url.user = "root";
  url.host = "127.0.0.1";
  url.port = port;
  url.database = "mysql";
  return url;
}

bool isRoot() { return geteuid() == 0; }

}  // namespace

MariaDb& MariaDb::running() {
  // What failed once would fail for every test, each after a long wait.
  static std::optional<std::string> failure;
  if (failure) throw std::runtime_error(*failure);
  if (!server()) {
    try {
      const char* foreign = std::getenv("TIPFLOW_TEST_SERVER");
      server().reset(foreign == nullptr ? new MariaDb("mariadb", {})
                                        : new MariaDb(db::Url::parse(foreign)));
    } catch (const std::exception& error) {
      failure = error.what();
      throw;
    }
  }
  return *server();
}

void MariaDb::stop() { server().reset(); }

std::unique_ptr<MariaDb> MariaDb::another(const std::string& name,
                                          std::vector<std::string> settings) {
  return std::unique_ptr<MariaDb>(new MariaDb(name, std::move(settings)));
}

MariaDb::MariaDb(const std::string& name, std::vector<std::string> settings)
    : directory_(scratch() / name), settings_(std::move(settings)) {
  fs::create_directory(directory_);
  try {
    install();
    start();
  } catch (...) {
    if (server_ > 0) end();
    throw;
  }
}

MariaDb::MariaDb(db::Url foreign)
    : url_(std::move(foreign)), prefix_(fmt::format("tipflow_{}_", getpid())) {
  admin_ = db::connect(url_);
}

MariaDb::~MariaDb() {
  admin_.reset();
  end();
}

// Nothing of it is kept, so it need not end in good order.
void MariaDb::end() const {
  if (server_ <= 0) return;
  kill(server_, SIGKILL);
  waitpid(server_, nullptr, 0);
}

void MariaDb::freeze() const {
  if (server_ <= 0) throw std::runtime_error("only a server of the test's own can be frozen");
  kill(server_, SIGSTOP);
}

void MariaDb::thaw() const {
  if (server_ > 0) kill(server_, SIGCONT);
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
    url_ = ownUrl(freePort());
    std::vector<std::string> arguments{"--no-defaults",
                                       "--datadir=" + (directory_ / "data").string(),
                                       "--socket=" + (directory_ / "socket").string(),
                                       "--pid-file=" + (directory_ / "pid").string(),
                                       "--bind-address=127.0.0.1",
                                       fmt::format("--port={}", url_.port),
                                       "--skip-name-resolve",
                                       "--innodb-flush-log-at-trx-commit=1",
                                       "--innodb-log-file-size=8M",
                                       "--innodb-buffer-pool-size=64M"};
    arguments.insert(arguments.end(), settings_.begin(), settings_.end());
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

db::Url MariaDb::url() const { return url_; }

db::Url MariaDb::newDatabase() {
  auto made = url();
  made.database = fmt::format("{}{}", prefix_, ++databases_);
  admin_->exec("CREATE DATABASE " + made.database);
  return made;
}

}  // namespace tipflow::fixture
