// A real MariaDB for the tests: made in the run's own directory, started when the first test asks
// for it, ended with the test program however that ends. With TIPFLOW_TEST_SERVER=mysql://… (an
// administrator's account) another server takes its place, such as MySQL or a node of Galera.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "platform/db/connection.h"

namespace tipflow::fixture {

class MariaDb {
 public:
  /// The one server of this program; the first call starts it and must come from the main thread,
  /// with which the server dies. Throws std::runtime_error with what the server said.
  static MariaDb& running();
  /// Ends the server, if there is one.
  static void stop();
  /// A server besides it, for what needs several or settings of its own (options of the command
  /// line); ends with its owner. From the main thread. `name`: its directory.
  static std::unique_ptr<MariaDb> another(const std::string& name,
                                          std::vector<std::string> settings);

  ~MariaDb();
  MariaDb(const MariaDb&) = delete;
  MariaDb& operator=(const MariaDb&) = delete;

  /// The server's own database `mysql`, as root.
  [[nodiscard]] db::Url url() const;
  /// Makes an empty database of a name that was never used before.
  db::Url newDatabase();
  /// SIGSTOP: it keeps every connection and answers nothing; SIGCONT: it goes on.
  void freeze() const;
  void thaw() const;

 private:
  MariaDb(const std::string& name, std::vector<std::string> settings);
  explicit MariaDb(db::Url foreign);
  void install();
  void start();
  void end() const;
  [[nodiscard]] bool answers();
  [[nodiscard]] std::string log() const;

  std::filesystem::path directory_;
  std::vector<std::string> settings_;
  db::Url url_;
  std::string prefix_ = "tipflow_";  ///< of databases
  pid_t server_ = -1;                ///< -1 where it is not ours
  int databases_ = 0;
  std::unique_ptr<db::Connection> admin_;
};

}  // namespace tipflow::fixture
