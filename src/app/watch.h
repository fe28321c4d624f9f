// A node watches itself: looks at everything every few seconds, judges it (platform/conditions.h),
// says on its log what was raised and what is over, and reports to the console role.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/durability_watch.h"
#include "finance/service.h"
#include "platform/condition_sink.h"
#include "platform/config.h"
#include "platform/http/router.h"
#include "platform/schedule/jobs.h"

namespace tipflow::app {

/// What there is to look at; null or empty where the node's roles have no such part.
struct WatchedParts {
  const Config& config;
  const Clock& clock;
  std::string node;
  Metrics& metrics;
  const http::Router& router;
  schedule::Jobs& jobs;
  const DurabilityWatch& durability;
  std::vector<db::Database*> databases = {};
  finance::Service* finance = nullptr;
  std::function<std::optional<SyncSight>()> sync = {};
  std::function<std::vector<KeySight>()> keys = {};
  ConditionSink* sink = nullptr;
  bool reconciles = false;  ///< this node compares the books; needs `finance`
};

/// Used on the main loop alone, but for its metrics.
class Watch {
 public:
  explicit Watch(WatchedParts parts);
  void start();
  /// What is in effect now; what was changed at run time is in it.
  void use(const Config& config);

 private:
  /// Asked again and again whether it answers; an answer that does not come must not stop the rest.
  struct Asked {
    db::Database* database;
    bool asking = false;
    Time since{};
    std::optional<Time> awaySince = {};
  };

  void look();
  Sight sight();
  void ask(Asked& asked);
  void askWithdrawals();
  void report();
  void reconcileIn(Duration pause);
  drogon::Task<> reconcile();
  void addMetrics();

  WatchedParts parts_;
  AlertLimits limits_;
  Duration reconcileEvery_;
  Duration reconcileTook_{0};  ///< the last comparison that came to its end
  Duration reconcileTookBefore_{0};
  Conditions conditions_;
  Growth answered_;
  Growth failed_;
  Growth dropped_;
  std::vector<Asked> asked_;
  PendingSight withdrawals_;
  bool askingWithdrawals_ = false;
  bool reporting_ = false;
  bool unkept_ = false;  ///< the last report; said once
  BooksSight books_;
  schedule::Jobs::Job* reconcileJob_ = nullptr;
  prometheus::Gauge* pendingCount_ = nullptr;
  prometheus::Gauge* pendingSeconds_ = nullptr;
  prometheus::Gauge* differenceTips_ = nullptr;
  prometheus::Gauge* differenceFen_ = nullptr;
  prometheus::Gauge* brokenInvariants_ = nullptr;
};

}  // namespace tipflow::app
