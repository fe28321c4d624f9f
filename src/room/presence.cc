#include "room/presence.h"

#include <algorithm>
#include <set>

namespace tipflow::room {

void PresenceBoard::take(const Presence& report, Time now) {
  heard_[report.process] = now;
  if (report.all) {
    std::set<RoomId> named;
    for (const auto& part : report.parts) named.insert(part.room);
    for (auto& [id, room] : rooms_) {
      const auto own = room.parts.find(report.process);
      if (own != room.parts.end() && !named.contains(id)) own->second.viewers = 0;
    }
  }
  for (const auto& part : report.parts) take(report.process, part);
}

void PresenceBoard::take(const std::string& process, const Part& part) {
  auto& room = rooms_[part.room];
  if (part.session < room.session) return;  // a node that has not heard of the new session yet
  if (part.session > room.session) room = {part.session, 0, {}};
  room.parts[process] = {part.viewers, part.joins, part.chats};
  room.peak = std::max({room.peak, part.peakViewers, numbers(part.room).viewers});
}

void PresenceBoard::expire(Time now) {
  for (auto node = heard_.begin(); node != heard_.end();) {
    if (now - node->second <= kSilence) {
      ++node;
      continue;
    }
    for (auto& [_, room] : rooms_) {
      const auto part = room.parts.find(node->first);
      if (part != room.parts.end()) part->second.viewers = 0;
    }
    node = heard_.erase(node);
  }
}

LiveNumbers PresenceBoard::numbers(RoomId id) const {
  const auto room = rooms_.find(id);
  if (room == rooms_.end()) return {};
  LiveNumbers sum;
  sum.session = room->second.session;
  sum.peakViewers = room->second.peak;
  for (const auto& [_, counts] : room->second.parts) {
    sum.viewers += counts.viewers;
    sum.joins += counts.joins;
    sum.chats += counts.chats;
  }
  return sum;
}

bool PresenceBoard::othersThan(const std::string& process) const {
  return heard_.size() > (heard_.contains(process) ? 1U : 0U);
}

}  // namespace tipflow::room
