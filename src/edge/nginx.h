// The nginx that this edge runs: its directory, its configuration, its process. It is started with
// the first configuration and goes on without us, so that an agent that dies takes no request with
// it; the next agent on the same directory finds it and goes on signalling it.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tipflow::edge {

/// Writes a file whole: who reads it sees the old content or the new one.
void replaceFile(const std::string& file, std::string_view content);

class Nginx {
 public:
  /// `program`: a path, or a name to look for. `directory` is made, and held against another agent;
  /// throws std::runtime_error when that cannot be.
  Nginx(const std::string& program, const std::string& directory);
  ~Nginx();
  Nginx(const Nginx&) = delete;
  Nginx& operator=(const Nginx&) = delete;

  /// From now on nginx runs with this configuration; a running one takes it over without dropping
  /// a request. When nginx refuses it, everything stays as it was, and what nginx said is returned.
  std::optional<std::string> take(std::string_view configuration);
  /// The configuration in force, also that of an earlier agent; empty when there is none.
  [[nodiscard]] std::string configuration() const;
  /// Starts nginx where it has a configuration and does not run; whether it had to.
  bool keepRunning();
  /// The path of a file beside the configuration.
  [[nodiscard]] std::string file(std::string_view name) const;
  /// Lets requests under way end, then ends it.
  void quit();

 private:
  /// Its master process; 0 when there is none.
  [[nodiscard]] pid_t master() const;
  void start();
  void endWorkersLeftBehind();

  std::string program_;
  std::string directory_;
  int lock_ = -1;
  std::vector<pid_t> workers_;  // of the master that ran when last looked at
};

}  // namespace tipflow::edge
