#include "app/node_metrics.h"

#include <drogon/HttpAppFramework.h>

#include "app/version.h"
#include "platform/process_metrics.h"

namespace tipflow::app {

void addNodeMetrics(Metrics& metrics, const http::Router& router, const Clock& clock) {
  addProcessMetrics(metrics);
  metrics
      .gauge("tipflow_build_info", "1; the labels say which build this is.",
             {{"version", kVersion}, {"commit", kCommit}})
      .Set(1);
  auto& uptime = metrics.gauge("tipflow_uptime_seconds", "Time since the node was built up.");
  auto& inFlight =
      metrics.gauge("tipflow_http_requests_in_flight", "Requests that are not answered yet.");
  auto& connections = metrics.gauge("tipflow_http_connections", "Open connections of clients.");
  metrics.beforeCollect([&, started = clock.now()] {
    uptime.Set(static_cast<double>((clock.now() - started).count()) / kUsPerSecond);
    inFlight.Set(static_cast<double>(router.inFlight()));
    connections.Set(static_cast<double>(drogon::app().getConnectionCount()));
  });
}

audience::LaneMetrics laneMetrics(Metrics& metrics, int number) {
  const Labels labels{{"lane", std::to_string(number)}};
  return {&metrics.histogram("tipflow_lane_batch_tips", "Tips a committed statement.",
                             {1, 2, 5, 10, 20, 50, 100, 200, 500, 1'000}, labels),
          &metrics.histogram("tipflow_lane_commit_seconds", "Time of a statement and its commit.",
                             latencyBounds(), labels)};
}

void addLaneMetrics(Metrics& metrics, const audience::Lanes& lanes, std::int64_t limit) {
  metrics.gauge("tipflow_lane_queue_limit_tips", "Tips that may wait in a lane.")
      .Set(static_cast<double>(limit));
  std::vector<prometheus::Gauge*> queued;
  for (std::size_t i = 0; i < lanes.count(); ++i) {
    queued.push_back(&metrics.gauge("tipflow_lane_queue_tips", "Tips waiting in a lane.",
                                    {{"lane", std::to_string(i + 1)}}));
  }
  metrics.beforeCollect([&lanes, queued] {
    for (std::size_t i = 0; i < queued.size(); ++i) {
      queued[i]->Set(static_cast<double>(lanes.queued(i)));
    }
  });
}

}  // namespace tipflow::app
