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
      if (own != room.parts.end() && !named.contains(id)) {
        set(room, own->second, {0, own->second.joins, own->second.chats});
      }
    }
  }
  for (const auto& part : report.parts) take(report.process, part);
}

void PresenceBoard::take(const std::string& process, const Part& part) {
  auto& room = rooms_[part.room];
  if (part.session < room.session) return;  // a node that has not heard of the new session yet
  if (part.session > room.session) room = {part.session, 0, {}, {}};
  set(room, room.parts[process], {part.viewers, part.joins, part.chats});
  room.peak = std::max({room.peak, part.peakViewers, room.sum.viewers});
}

void PresenceBoard::set(Room& room, Counts& part, const Counts& counts) {
  room.sum.viewers += counts.viewers - part.viewers;
  room.sum.joins += counts.joins - part.joins;
  room.sum.chats += counts.chats - part.chats;
  part = counts;
}

void PresenceBoard::expire(Time now) {
  if (now <= nobodySilentUntil_) return;
  nobodySilentUntil_ = now + kSilence;  // whoever is heard from here on
  for (auto node = heard_.begin(); node != heard_.end();) {
    if (now - node->second <= kSilence) {
      nobodySilentUntil_ = std::min(nobodySilentUntil_, node->second + kSilence);
      ++node;
      continue;
    }
    for (auto& [_, room] : rooms_) {
      const auto part = room.parts.find(node->first);
      if (part == room.parts.end()) continue;
      set(room, part->second, {0, part->second.joins, part->second.chats});
    }
    node = heard_.erase(node);
  }
}

LiveNumbers PresenceBoard::numbers(RoomId id) const {
  const auto room = rooms_.find(id);
  if (room == rooms_.end()) return {};
  const auto& [session, peak, _, sum] = room->second;
  return {sum.viewers, peak, sum.joins, sum.chats, session};
}

bool PresenceBoard::othersThan(const std::string& process) const {
  return heard_.size() > (heard_.contains(process) ? 1U : 0U);
}

}  // namespace tipflow::room
