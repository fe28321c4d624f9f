// A real Redis of a test's own: in memory alone, on a free port, ended with the test.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "platform/redis/url.h"

namespace tipflow::fixture {

class RedisServer {
 public:
  /// Started, and answering. `options`: further ones of redis-server. Throws std::runtime_error
  /// with what the server said.
  explicit RedisServer(std::vector<std::string> options = {});
  ~RedisServer();
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  [[nodiscard]] const redis::Url& url() const { return url_; }

  /// SIGKILL: whatever it held is gone, but for what it was asked to save.
  void kill();
  /// On the same port, with what it saved.
  void start();
  /// It keeps its connections and answers nothing, until it is woken.
  void freeze() const;
  void wake() const;

 private:
  [[nodiscard]] bool answers() const;

  redis::Url url_;
  std::vector<std::string> options_;
  std::filesystem::path directory_;
  pid_t server_ = -1;
};

}  // namespace tipflow::fixture
