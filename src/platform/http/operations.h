// What every node answers about itself: alive, ready, metrics, version, contract, documentation.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "platform/http/router.h"

namespace tipflow::http {

struct ReadinessCheck {
  std::string name;
  bool up = false;
  std::string detail;
  bool needed = true;  ///< without it the node is not ready
};
/// Looks at one thing that this node works with.
using Probe = std::function<Task<ReadinessCheck>()>;

struct NodeFacts {
  std::string node;
  std::string version;
  std::string commit;
  std::string built;
  std::vector<std::string> roles;
};

class Operations {
 public:
  Operations(NodeFacts facts, Metrics& metrics, std::vector<Probe> probes)
      : facts_(std::move(facts)), metrics_(metrics), probes_(std::move(probes)) {}

  void addRoutes(Router& router);
  /// From now on the node is not ready: it is about to leave.
  void drain() { draining_ = true; }

 private:
  Task<ResponsePtr> ready(Call& call);

  NodeFacts facts_;
  Metrics& metrics_;
  std::vector<Probe> probes_;
  std::atomic<bool> draining_{false};
};

}  // namespace tipflow::http
