// Takes the log lines and spans that other nodes send, and hands them to the store.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

#include "platform/http/router.h"
#include "platform/records.h"
#include "platform/workers.h"

namespace tipflow::console {

class RecordIntake {
 public:
  explicit RecordIntake(RecordSink& store) : store_(store) {}

  void addRoutes(http::Router& router);

 private:
  /// Which batch of which process this is: `<process>:<number>`, numbers going up.
  struct Batch {
    std::string process;
    std::int64_t number = 0;
  };
  static Batch batchOf(const http::Call& call);
  http::Task<http::ResponsePtr> take(http::Call& call);
  /// Keeps a batch unless it was kept before: its sender did not get the answer and sends it again.
  void keepOnce(const Batch& batch, std::string_view lines);

  RecordSink& store_;
  std::mutex mutex_;
  std::unordered_map<std::string, std::int64_t> last_;
  Workers workers_{1, 64, "records"};
};

}  // namespace tipflow::console
