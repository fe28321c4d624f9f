// Keeps nginx at what the registry and the console say: looks, waits until the news has settled,
// and hands nginx a new configuration only when it is another one.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "edge/leavers.h"
#include "edge/nginx.h"
#include "edge/rules.h"
#include "platform/registry.h"

namespace tipflow::edge {

/// In nginx's directory: what was last believed.
inline constexpr const char* kPictureFile = "picture.json";

class Agent {
 public:
  /// Blocked networks; nullopt while they are not known.
  using BlockList = std::function<std::optional<std::vector<std::string>>()>;

  Agent(Options options, std::string_view configurationTemplate, Nginx& nginx,
        const Registry& registry, BlockList blocked);

  /// One look; to be repeated a few times a second. Throws when nginx cannot be started.
  void look();

 private:
  [[nodiscard]] Picture news() const;
  /// Whether what was seen has settled: a node that comes or goes is news for each of its roles.
  bool settled(const Picture& seen);
  void apply(const Picture& picture);

  Options options_;
  std::string template_;
  Nginx& nginx_;
  const Registry& registry_;
  BlockList blocked_;
  SystemClock clock_;
  Leavers leavers_;
  Picture applied_;  // kept in a file too, for the next agent
  Picture seen_;
  int unsettled_ = 0;
  bool begun_ = false;   // nginx has a configuration with our options
  std::string refused_;  // the configuration that nginx last refused
  int askAgainIn_ = 0;
};

}  // namespace tipflow::edge
