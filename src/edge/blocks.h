// The networks that the console has blocked, as any node with that role tells them. What is not
// answered changes nothing: the last list stays.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "platform/rpc/caller.h"

namespace tipflow::edge {

/// The networks of an answer of `GET /internal/v1/ip-blocks`, each once, as nginx reads them;
/// nullopt when it is not such an answer.
[[nodiscard]] std::optional<std::vector<std::string>> blockedNetworks(std::string_view body);

/// Asks every second, on a thread of its own.
class Blocks {
 public:
  /// `console` calls the nodes of that role, and outlives this.
  explicit Blocks(rpc::Caller& console);
  ~Blocks();
  Blocks(const Blocks&) = delete;
  Blocks& operator=(const Blocks&) = delete;

  /// The last list there was; nullopt before the first.
  [[nodiscard]] std::optional<std::vector<std::string>> networks() const;

 private:
  void run();
  void ask();

  rpc::Caller& console_;
  mutable std::mutex mutex_;
  std::condition_variable leaving_;
  bool left_ = false;
  bool answered_ = true;  // so that silence is told of once; the thread's own
  std::optional<std::vector<std::string>> networks_;
  std::thread thread_;
};

}  // namespace tipflow::edge
