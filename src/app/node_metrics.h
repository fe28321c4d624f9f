// What a node measures of itself besides what its parts count: build, uptime, HTTP in flight,
// lanes.
#pragma once

#include "audience/lanes.h"
#include "platform/http/router.h"
#include "platform/metrics.h"

namespace tipflow::app {

/// All of them must outlive what asks `metrics`.
void addNodeMetrics(Metrics& metrics, const http::Router& router, const Clock& clock);
/// `number`: the lane's place on this node, from 1.
audience::LaneMetrics laneMetrics(Metrics& metrics, int number);
/// Once the lanes have started; `limit`: tips a lane holds at most.
void addLaneMetrics(Metrics& metrics, const audience::Lanes& lanes, std::int64_t limit);

}  // namespace tipflow::app
