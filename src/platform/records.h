// Where the log lines and spans of all nodes go. The console role keeps them; who ships them there
// knows only this.
#pragma once

#include <span>
#include <string>

namespace tipflow {

/// Where the log lines and spans of all nodes are kept. A line is one JSON object as `log` writes
/// it.
class RecordSink {
 public:
  virtual ~RecordSink() = default;
  /// Keeps them all or throws. Blocking; not for an event loop.
  virtual void keep(std::span<const std::string> lines) = 0;
};

}  // namespace tipflow
