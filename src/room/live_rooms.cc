#include "room/live_rooms.h"

#include "room/news.h"

namespace tipflow::room {

ReportedRooms::ReportedRooms(Bus& bus, const Clock& clock, std::string process)
    : clock_(clock), process_(std::move(process)) {
  bus.subscribe(topic::kRoomPresence, [this](std::string_view message) {
    const auto report = news::readPresence(message);
    if (!report) return;
    const std::lock_guard lock(mutex_);
    board_.take(*report, clock_.now());
  });
  bus.onGap({topic::kRoomPresence}, [this] {
    const std::lock_guard lock(mutex_);
    unsureUntil_ = clock_.now() + PresenceBoard::kSilence;
  });
}

LiveNumbers ReportedRooms::numbers(RoomId room) const {
  const std::lock_guard lock(mutex_);
  board_.expire(clock_.now());
  return board_.numbers(room);
}

bool ReportedRooms::isWatched(RoomId room) const {
  const std::lock_guard lock(mutex_);
  return here_.contains(room) || elsewhere();
}

bool ReportedRooms::anyWatched() const {
  const std::lock_guard lock(mutex_);
  return !here_.empty() || elsewhere();
}

std::size_t ReportedRooms::processes() const {
  const std::lock_guard lock(mutex_);
  return board_.processes();
}

// Another node may have opened any room since it last reported, and one that reported just before
// this node listened is not known yet.
bool ReportedRooms::elsewhere() const {
  const Time now = clock_.now();
  if (now < unsureUntil_) return true;
  board_.expire(now);
  return board_.othersThan(process_);
}

void ReportedRooms::here(RoomId room, bool is) {
  const std::lock_guard lock(mutex_);
  if (is) {
    here_.insert(room);
  } else {
    here_.erase(room);
  }
}

}  // namespace tipflow::room
