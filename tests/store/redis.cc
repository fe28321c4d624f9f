#include "store/redis.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>

#include <atomic>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "platform/redis/connection.h"
#include "store/database.h"
#include "store/process.h"
#include "store/scratch.h"

namespace tipflow::fixture {

RedisServer::RedisServer(std::vector<std::string> options) : options_(std::move(options)) {
  static std::atomic<int> made = 0;
  directory_ = scratch() / fmt::format("redis-{}", ++made);
  std::filesystem::create_directory(directory_);
  url_.host = "127.0.0.1";
  url_.port = freePort();
  for (std::size_t i = 0; i + 1 < options_.size(); ++i) {
    if (options_[i] == "--requirepass") url_.password = options_[i + 1];
  }
  start();
}

RedisServer::~RedisServer() { kill(); }

void RedisServer::kill() {
  if (server_ <= 0) return;
  ::kill(server_, SIGKILL);
  waitpid(server_, nullptr, 0);
  server_ = -1;
}

void RedisServer::start() {
  std::vector<std::string> arguments{"--port",       std::to_string(url_.port),
                                     "--bind",       "127.0.0.1",
                                     "--dir",        directory_.string(),
                                     "--save",       "",
                                     "--appendonly", "no"};
  arguments.insert(arguments.end(), options_.begin(), options_.end());
  server_ = spawn(program("redis-server"), arguments, directory_ / "log");
  if (eventually([this] { return answers(); })) return;
  kill();
  std::ostringstream log;
  log << std::ifstream(directory_ / "log").rdbuf();
  throw std::runtime_error("Redis does not answer:\n" + log.str());
}

void RedisServer::freeze() const { ::kill(server_, SIGSTOP); }

void RedisServer::wake() const { ::kill(server_, SIGCONT); }

bool RedisServer::answers() const {
  try {
    const redis::Connection connection(url_, Duration{kUsPerSecond});
    return true;
  } catch (const redis::Away&) {
    return false;
  }
}

}  // namespace tipflow::fixture
