#include "room/presence.h"

#include <algorithm>
#include <set>

namespace tipflow::room {

void PresenceBoard::take(const Presence& report, Time now) {
  heard_[report.process] = now;
  const auto place = placeOf(report.process);
  if (report.all) {
    std::set<RoomId> named;
    for (const auto& part : report.parts) named.insert(part.room);
    for (auto& [id, room] : rooms_) {
      if (!named.contains(id)) leave(room, place);
    }
  }
  for (const auto& part : report.parts) take(place, part);
}

std::size_t PresenceBoard::placeOf(const std::string& process) {
  return places_.try_emplace(process, places_.size()).first->second;
}

void PresenceBoard::take(std::size_t place, const Part& part) {
  auto& room = rooms_[part.room];
  if (part.session < room.session) return;  // a node that has not heard of the new session yet
  if (part.session > room.session) room = {part.session, 0, {}, {}};
  if (room.parts.size() <= place) room.parts.resize(place + 1);
  set(room, room.parts[place], {part.viewers, part.joins, part.chats});
  room.peak = std::max({room.peak, part.peakViewers, room.sum.viewers});
}

void PresenceBoard::leave(Room& room, std::size_t place) {
  if (place >= room.parts.size()) return;
  auto& part = room.parts[place];
  set(room, part, {0, part.joins, part.chats});
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
    const auto place = placeOf(node->first);
    for (auto& [_, room] : rooms_) leave(room, place);
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
