// A node: the parts of the roles it runs, put together, started and stopped in the right order.
// Nothing is decided here but who gets what.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "platform/config.h"
#include "platform/http/router.h"
#include "platform/security/key_source.h"

namespace tipflow::app {

/// A node's keys; they outlive it.
struct NodeKeys {
  KeySource& token;
  KeySource& data;
  std::string cluster;  ///< 32 bytes, with which nodes sign what they ask of each other
};

inline const std::set<std::string>& allRoles() {
  static const std::set<std::string> roles{"anchor",   "audience", "finance",
                                           "analysis", "room",     "console"};
  return roles;
}

class Node {
 public:
  /// Builds the parts and reads the token keys; touches neither disk nor database otherwise.
  Node(const Config& config, std::set<std::string> roles, NodeKeys keys);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  [[nodiscard]] const std::vector<http::Route>& routes() const;

  /// Brings the databases up to date, makes the first admin, opens the lanes. Throws when a
  /// database cannot be used. Returns the admin's password when it was generated now.
  std::string start();
  /// Serves until `drain`.
  void serve();
  /// Answers what came, commits and pushes what is queued, closes the lanes, ends `serve`. Blocks;
  /// not for the event loops.
  void drain();

 private:
  struct Parts;

  std::unique_ptr<Parts> parts_;
};

}  // namespace tipflow::app
