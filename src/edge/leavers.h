// Servers that died stay in nginx's configuration for a moment: nginx passes over one that refuses
// connections by itself, while each reload costs connections of clients, and who died is often back
// soon.
#pragma once

#include <functional>
#include <map>

#include "base/time.h"
#include "edge/rules.h"

namespace tipflow::edge {

/// Whether nobody listens there. A server that does not answer within a moment does not refuse; nor
/// does a name, for asking whose it is may take long.
bool refusesConnections(const Server& server);

class Leavers {
 public:
  using Refuses = std::function<bool(const Server&)>;

  Leavers(Refuses refuses, Duration stay) : refuses_(std::move(refuses)), stay_(stay) {}

  /// `picture` with those of `applied` that have left it and may stay. A server that can still be
  /// reached goes at once: it drains, or hangs.
  Picture with(const Picture& applied, Picture picture, Time now);

 private:
  Refuses refuses_;
  Duration stay_;
  std::map<Server, Time> since_;
};

}  // namespace tipflow::edge
