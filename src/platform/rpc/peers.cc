#include "platform/rpc/peers.h"

#include <algorithm>

namespace tipflow::rpc {

void Peers::set(std::span<const std::string> addresses) {
  std::vector<Peer> next;
  for (const auto& address : addresses) {
    if (const auto* known = find(address)) {
      next.push_back(*known);
    } else {
      next.push_back({address});
    }
  }
  peers_ = std::move(next);
}

std::optional<std::string> Peers::choose(Time now, Random& random, const std::string& besides) {
  std::vector<const Peer*> good;
  std::vector<const Peer*> any;
  for (const auto& peer : peers_) {
    if (peer.address == besides) continue;
    any.push_back(&peer);
    if (now >= peer.ejectedUntil) good.push_back(&peer);
  }
  const auto& among = good.empty() ? any : good;
  if (among.empty()) return std::nullopt;
  const auto* one = among[random.below(among.size())];
  const auto* other = among[random.below(among.size())];
  return other->inFlight < one->inFlight ? other->address : one->address;
}

void Peers::onStart(const std::string& address) {
  if (auto* peer = find(address)) ++peer->inFlight;
}

void Peers::onSuccess(const std::string& address) {
  auto* peer = find(address);
  if (peer == nullptr) return;
  peer->inFlight = std::max(0, peer->inFlight - 1);
  peer->failures = 0;
  peer->ejections = 0;
  peer->ejectedUntil = {};
}

void Peers::onFailure(const std::string& address, Time now) {
  auto* peer = find(address);
  if (peer == nullptr) return;
  peer->inFlight = std::max(0, peer->inFlight - 1);
  if (++peer->failures < limits_.failures || now < peer->ejectedUntil) return;
  Duration wait = limits_.first;
  for (int i = 0; i < peer->ejections && wait < limits_.longest; ++i) wait *= 2;
  peer->ejectedUntil = now + std::min(wait, limits_.longest);
  ++peer->ejections;
}

std::vector<PeerView> Peers::view(Time now) const {
  std::vector<PeerView> views;
  for (const auto& peer : peers_) {
    views.push_back({peer.address, peer.inFlight, now < peer.ejectedUntil});
  }
  return views;
}

Peers::Peer* Peers::find(const std::string& address) {
  const auto found = std::find_if(peers_.begin(), peers_.end(),
                                  [&](const Peer& peer) { return peer.address == address; });
  return found == peers_.end() ? nullptr : &*found;
}

}  // namespace tipflow::rpc
