// Calls between nodes: proof that a request under /internal was made by a node of this cluster,
// now, and exactly so. The key is the cluster's, the same on all nodes.
//
// There is no nonce. A call between nodes is repeated whenever its answer is lost, so whatever one
// does must bear being done twice (tips go by cursor, everything else only reads or sets); a replay
// within the window is one more repetition.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace tipflow::http {

/// What the signature of a node covers. `target` is the path and query as sent.
struct NodeParts {
  std::string_view node;
  std::string_view method;
  std::string_view target;
  std::string_view timestamp;
  std::string_view body;
};

/// The values of X-Tipflow-Node, X-Tipflow-Timestamp and X-Tipflow-Node-Signature.
struct NodeHeaders {
  std::string node;
  std::string timestamp;
  std::string signature;
};

/// Whether a node may be called so: 1 to 128 visible characters of ASCII, as headers carry them.
[[nodiscard]] bool isNodeName(std::string_view name);

/// The headers with which `node` sends a request. `key`: 32 bytes.
NodeHeaders signNode(std::string_view key, std::string_view node, std::string_view method,
                     std::string_view target, std::string_view body, Time now);

class NodeSignatureCheck {
 public:
  NodeSignatureCheck(std::string key, const Clock& clock) : key_(std::move(key)), clock_(clock) {}

  /// Whether a node of this cluster made the request within the last 30 s, or the next, for clocks
  /// differ. No more is said, to nobody.
  [[nodiscard]] bool accepts(const NodeParts& parts, std::string_view signature) const;

 private:
  std::string key_;
  const Clock& clock_;
};

}  // namespace tipflow::http
