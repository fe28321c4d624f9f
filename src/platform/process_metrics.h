// What Prometheus' client libraries say of their process, under the standard names: processor time,
// memory, descriptors, start. Linux only: read from /proc when it is asked for.
#pragma once

#include "platform/metrics.h"

namespace tipflow {

void addProcessMetrics(Metrics& metrics);

}  // namespace tipflow
