// Puts what operators change into the operators' log of the role they changed it through.
#pragma once

#include "console/operators.h"
#include "platform/http/operator_log.h"
#include "platform/metrics.h"

namespace tipflow::app {

class ChangeRecorder {
 public:
  /// The logs this node can write to; nullptr where it has not the database. `names`: who knows the
  /// operators' names, nullptr when nobody here does; the log's readers then fill them in.
  struct Logs {
    http::OperatorLog* db1 = nullptr;
    http::OperatorLog* db2 = nullptr;
  };
  ChangeRecorder(Logs logs, console::Operators* names, const Clock& clock, Metrics& metrics);

  /// Never throws: what could not be kept goes to the log of the node, whole, and is counted.
  http::Task<> record(const http::Route& route, const http::Call& call,
                      std::optional<ErrorCode> refusal);

 private:
  [[nodiscard]] http::OperatorLog* logOf(const http::Route& route) const;
  http::Task<std::string> nameOf(std::int64_t operatorId);

  Logs logs_;
  console::Operators* names_;
  const Clock& clock_;
  prometheus::Counter& lost_;
};

}  // namespace tipflow::app
