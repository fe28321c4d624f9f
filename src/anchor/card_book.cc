#include "anchor/card_book.h"

#include <mutex>

#include "anchor/rules.h"

namespace tipflow::anchor {

std::uint64_t CardBook::ask() {
  const std::unique_lock lock(mutex_);
  return ++asked_;
}

void CardBook::keep(const wire::Card& card, std::uint64_t asked) {
  const RoomId id{card.roomId.value};
  const AnchorId anchor{card.anchorId.value};
  Entry fresh;
  fresh.asked = asked;
  fresh.room = {id, anchor, card.anchorGender, card.state, SessionId{card.sessionId.value}};
  if (card.bannedUntil) fresh.bannedUntil = Time{card.bannedUntil->value};
  fresh.anchor = {anchor, card.anchorName.value, card.anchorGender, id};
  for (const auto& tag : card.tags.items) fresh.tags.push_back(tag.value);

  const std::unique_lock lock(mutex_);
  auto& entry = rooms_[id];
  if (asked < entry.asked) return;
  entry = std::move(fresh);
  roomOf_[anchor] = id;
}

std::optional<RoomCard> CardBook::room(RoomId id, Time now) const {
  const std::shared_lock lock(mutex_);
  const auto found = rooms_.find(id);
  if (found == rooms_.end()) return std::nullopt;
  auto card = found->second.room;
  card.state = stateAt(card.state, found->second.bannedUntil, now);
  return card;
}

std::optional<AnchorCard> CardBook::anchor(AnchorId id) const {
  const std::shared_lock lock(mutex_);
  const auto found = roomOf_.find(id);
  return found == roomOf_.end() ? std::nullopt : std::optional(rooms_.at(found->second).anchor);
}

std::vector<RoomCard> CardBook::liveRooms() const {
  const std::shared_lock lock(mutex_);
  std::vector<RoomCard> live;
  for (const auto& [id, entry] : rooms_) {
    if (entry.room.state == RoomState::live) live.push_back(entry.room);
  }
  return live;
}

std::vector<std::string> CardBook::tags(RoomId room) const {
  const std::shared_lock lock(mutex_);
  const auto found = rooms_.find(room);
  return found == rooms_.end() ? std::vector<std::string>{} : found->second.tags;
}

}  // namespace tipflow::anchor
