// `tipflow edge`: runs nginx in front of the nodes that Consul knows.
#pragma once

#include "platform/config.h"

namespace tipflow::app {

/// Until SIGTERM or SIGINT; then nginx has ended too.
int edge(const Config& config);

}  // namespace tipflow::app
