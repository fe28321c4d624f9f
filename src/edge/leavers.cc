#include "edge/leavers.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

namespace tipflow::edge {
namespace {

constexpr int kMomentMs = 50;

struct Endpoint {
  sockaddr_storage address{};
  socklen_t size = 0;
};

/// Of size 0 where the address is none but a name.
Endpoint endpointOf(const Server& server) {
  Endpoint endpoint;
  const auto port = htons(static_cast<std::uint16_t>(server.port));
  auto* v4 = reinterpret_cast<sockaddr_in*>(&endpoint.address);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&endpoint.address);
  if (inet_pton(AF_INET, server.address.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = port;
    endpoint.size = sizeof *v4;
  } else if (inet_pton(AF_INET6, server.address.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = port;
    endpoint.size = sizeof *v6;
  }
  return endpoint;
}

int faultOf(int socket) {
  pollfd waiting{socket, POLLOUT, 0};
  if (poll(&waiting, 1, kMomentMs) <= 0) return ETIMEDOUT;
  int fault = 0;
  socklen_t size = sizeof fault;
  getsockopt(socket, SOL_SOCKET, SO_ERROR, &fault, &size);
  return fault;
}

}  // namespace

bool refusesConnections(const Server& server) {
  const auto endpoint = endpointOf(server);
  if (endpoint.size == 0) return false;
  const int socket =
      ::socket(endpoint.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) return false;
  const auto* address = reinterpret_cast<const sockaddr*>(&endpoint.address);
  int fault = connect(socket, address, endpoint.size) == 0 ? 0 : errno;
  if (fault == EINPROGRESS) fault = faultOf(socket);
  close(socket);
  return fault == ECONNREFUSED;
}

Picture Leavers::with(const Picture& applied, Picture picture, Time now) {
  std::set<Server> left;
  for (const auto& [role, servers] : applied.roles) {
    auto& there = picture.roles[role];
    for (const auto& server : servers) {
      if (std::find(there.begin(), there.end(), server) != there.end()) continue;
      left.insert(server);
      const Time since = since_.try_emplace(server, now).first->second;
      if (now - since < stay_ && refuses_(server)) there.push_back(server);
    }
    std::sort(there.begin(), there.end());
    if (there.empty()) picture.roles.erase(role);
  }
  std::erase_if(since_, [&](const auto& each) { return !left.contains(each.first); });
  return picture;
}

}  // namespace tipflow::edge
