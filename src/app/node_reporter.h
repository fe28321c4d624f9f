// Tells other nodes about this one, under /internal: since when it runs, what it accepts, what its
// books say of the day.
#pragma once

#include <deque>
#include <functional>
#include <optional>

#include "platform/business_time.h"
#include "platform/conditions.h"
#include "platform/db/database.h"
#include "platform/http/router.h"
#include "platform/node_report.h"

namespace tipflow::app {

/// What there is to tell of; empty where the node's roles have no such part.
struct ReportedParts {
  std::function<double()> tipsCreated = {};  ///< since the start
  std::function<std::optional<SyncSight>()> sync = {};
  db::Database* books = nullptr;  ///< DB2 of a node with the role finance
};

class NodeReporter {
 public:
  NodeReporter(const Clock& clock, const BusinessTime& businessTime, ReportedParts parts)
      : clock_(clock),
        businessTime_(businessTime),
        parts_(std::move(parts)),
        startedAt_(clock.now()) {}

  void addRoutes(http::Router& router);
  /// From now on counts tips by the second; on the main loop.
  void start();

 private:
  struct Sample {
    Time at;
    double created = 0;
  };
  void sample();
  [[nodiscard]] std::optional<NodeReport::Tips> tips() const;
  http::Task<std::optional<NodeReport::Day>> today() const;
  http::Task<http::ResponsePtr> report(http::Call& call) const;

  const Clock& clock_;
  const BusinessTime& businessTime_;
  ReportedParts parts_;
  Time startedAt_;
  mutable std::mutex mutex_;
  std::deque<Sample> samples_;  // guarded by mutex_
};

}  // namespace tipflow::app
