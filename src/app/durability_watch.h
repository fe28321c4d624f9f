// Looks at the durability of the databases at start and while the node runs, and says what it
// finds: on the log, in a metric, and to whoever starts the node.
#pragma once

#include <drogon/utils/coroutine.h>

#include <map>
#include <string>
#include <vector>

#include "platform/db/database.h"
#include "platform/db/durability.h"
#include "platform/metrics.h"

namespace tipflow::app {

class DurabilityWatch {
 public:
  /// How often a running node looks again: a server's settings can be changed under it.
  static constexpr Duration kEvery{10 * kUsPerSecond};

  explicit DurabilityWatch(Metrics& metrics) : metrics_(metrics) {}

  /// Before the node serves: what was found is printed on stderr too. In production throws
  /// ConfigError with every fault. `databases` must outlive the watch.
  void start(std::vector<db::Database*> databases, bool production);
  /// Once more; what has changed is logged. Called on one event loop.
  drogon::Task<> lookAgain();
  /// What was found last, in words; empty when commits are durable. On the same loop.
  [[nodiscard]] std::string weaknessesOf(const db::Database& database) const;

 private:
  std::vector<db::DurabilityFault> note(const db::Database& database,
                                        const db::DurabilitySettings& settings);

  Metrics& metrics_;
  std::vector<db::Database*> databases_;
  std::map<const db::Database*, std::vector<db::DurabilityFault>> known_;
  bool looking_ = false;
};

}  // namespace tipflow::app
