// What the edge's nginx is told: who serves which role and which networks are blocked, filled into
// one template. Pure; whether nginx takes the text is nginx.h's to find out.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tipflow::edge {

/// A node as a server of one role.
struct Server {
  std::string node;
  std::string address;  ///< a name or an IP address
  int port = 0;

  friend auto operator<=>(const Server&, const Server&) = default;
};

/// What the edge knows of the cluster.
struct Picture {
  std::map<std::string, std::vector<Server>> roles;  ///< servers in order; no role without one
  std::vector<std::string> blocked;                  ///< networks, `10.0.0.0/8`, in order

  friend bool operator==(const Picture&, const Picture&) = default;
};

struct Options {
  std::string address;
  std::int64_t port = 0;
  std::int64_t connections = 0;       ///< of one nginx worker
  std::int64_t descriptors = 0;       ///< of one nginx worker
  std::int64_t addressPerSecond = 0;  ///< 0: no limit
  std::int64_t addressBurst = 1;
  std::int64_t addressConnections = 0;  ///< 0: no limit
  std::vector<std::string> exempt;      ///< networks that these limits do not hold for
};

/// The roles that the edge sends requests to.
[[nodiscard]] const std::vector<std::string>& roles();

/// Whether nginx can be told of this server: what discovery says is not trusted to be one.
[[nodiscard]] bool isUsable(const Server& server);

/// What to believe after `news`: a role that nobody seems to serve keeps the servers it had, for
/// that is more likely a fault of the news. Servers that are not usable are left out.
[[nodiscard]] Picture believed(const Picture& before, Picture news);

/// nginx's configuration. Throws std::logic_error when the template asks for what there is not.
[[nodiscard]] std::string render(std::string_view configurationTemplate, const Options& options,
                                 const Picture& picture);

/// What changed, for people: a line a change, none when nothing did.
[[nodiscard]] std::vector<std::string> changes(const Picture& before, const Picture& after);

}  // namespace tipflow::edge
