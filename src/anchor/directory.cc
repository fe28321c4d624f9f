#include "anchor/directory.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

#include "anchor/moderation_store.h"
#include "anchor/restraint_book.h"
#include "anchor/rules.h"
#include "anchor/store.h"
#include "platform/http/call.h"
#include "platform/log.h"
#include "platform/turns.h"

namespace tipflow::anchor {
namespace {

std::string messageOf(RoomId room, ViewerId viewer, const RestraintState& state) {
  const auto shown = [](std::optional<Time> until) {
    return until ? std::to_string(until->us) : std::string("null");
  };
  return fmt::format(R"({{"roomId":{},"viewerId":{},"kickedUntil":{},"mutedUntil":{}}})",
                     room.value, viewer.value, shown(state.kickedUntil), shown(state.mutedUntil));
}

std::optional<RestraintBook::Entry> entryOf(std::string_view message) {
  boost::system::error_code broken;
  const auto value = boost::json::parse(message, broken);
  const auto* const object = broken ? nullptr : value.if_object();
  if (object == nullptr) return std::nullopt;
  const auto number = [&](const char* name) -> std::optional<std::int64_t> {
    const auto* const found = object->if_contains(name);
    if (found == nullptr || !found->is_int64()) return std::nullopt;
    return found->get_int64();
  };
  const auto until = [&](const char* name) -> std::optional<Time> {
    const auto us = number(name);
    return us ? std::optional(Time{*us}) : std::nullopt;
  };
  const auto room = number("roomId");
  const auto viewer = number("viewerId");
  if (!room || !viewer) return std::nullopt;
  return RestraintBook::Entry{
      RoomId{*room}, ViewerId{*viewer}, {until("kickedUntil"), until("mutedUntil")}};
}

void sayNotRead(const db::Error& error) {
  log::warn("anchor", "cannot read what changed elsewhere",
            log::field("error", std::string_view(error.what())));
}

}  // namespace

/// What is known, and how it is read. Reads of one thing follow each other, so that the last one
/// stays.
struct Directory::Memory {
  using Shared = std::shared_ptr<Memory>;
  struct Known {
    RoomCard card;  // with the state as it is stored
    std::optional<Time> bannedUntil;
    std::vector<std::string> tags;
  };

  Memory(db::Database& database, const Clock& now) : db1(database), clock(now) {}

  void readAll(db::Connection& connection);
  void keep(std::vector<store::Cards> cards);
  [[nodiscard]] RoomCard shown(const Known& known) const;
  /// What a message says; true when it was news.
  bool take(const RestraintBook::Entry& entry);

  // Each keeps the memory while it runs.
  static drogon::Task<> readRoom(Shared self, RoomId id);
  static drogon::Task<RestraintState> readRestraint(Shared self, RoomId room, ViewerId viewer);
  static drogon::Task<> readAllAgain(Shared self);
  static drogon::Task<> readRoomAgain(Shared self, RoomId id);
  static drogon::Task<> readRestraintAgain(Shared self, RoomId room, ViewerId viewer);

  db::Database& db1;
  const Clock& clock;
  Turns reading;
  std::shared_mutex mutex;
  std::unordered_map<RoomId, Known> rooms;
  std::unordered_map<AnchorId, AnchorCard> anchors;
  RestraintBook restraints;
  CacheCounters counters;
};

void Directory::Memory::readAll(db::Connection& connection) {
  keep(store::cards(connection, std::nullopt));
  restraints.replace(store::restraints(connection, clock.now()));
}

void Directory::Memory::keep(std::vector<store::Cards> cards) {
  const std::unique_lock lock(mutex);
  for (auto& card : cards) {
    anchors[card.anchor.id] = std::move(card.anchor);
    rooms[card.room.id] = {card.room, card.bannedUntil, std::move(card.tags)};
  }
}

RoomCard Directory::Memory::shown(const Known& known) const {
  RoomCard card = known.card;
  if (card.state == RoomState::banned) {
    card.state = stateAt(card.state, known.bannedUntil, clock.now());
  }
  return card;
}

bool Directory::Memory::take(const RestraintBook::Entry& entry) {
  const auto now = clock.now();
  const RestraintState said{whileItHolds(entry.state.kickedUntil, now),
                            whileItHolds(entry.state.mutedUntil, now)};
  if (restraints.of(entry.room, entry.viewer, now) == said) return false;  // our own, mostly
  restraints.set(entry, now);
  return true;
}

drogon::Task<> Directory::Memory::readRoom(Shared self, RoomId id) {
  auto waiting = self->reading.take();
  const auto turn = co_await waiting;
  auto cards = co_await self->db1.read(
      [id](db::Connection& connection) { return store::cards(connection, id); });
  self->keep(std::move(cards));
}

drogon::Task<RestraintState> Directory::Memory::readRestraint(Shared self, RoomId room,
                                                              ViewerId viewer) {
  auto waiting = self->reading.take();
  const auto turn = co_await waiting;
  const auto state = co_await self->db1.read([room, viewer](db::Connection& connection) {
    return store::restraint(connection, room, viewer);
  });
  self->restraints.set({room, viewer, state}, self->clock.now());
  co_return state;
}

drogon::Task<> Directory::Memory::readAllAgain(Shared self) {
  auto waiting = self->reading.take();
  const auto turn = co_await waiting;
  auto* const memory = self.get();
  try {
    co_await self->db1.read([memory](db::Connection& connection) { memory->readAll(connection); });
  } catch (const db::Error& error) {
    sayNotRead(error);
  }
}

drogon::Task<> Directory::Memory::readRoomAgain(Shared self, RoomId id) {
  try {
    co_await readRoom(std::move(self), id);
  } catch (const db::Error& error) {
    sayNotRead(error);
  }
}

drogon::Task<> Directory::Memory::readRestraintAgain(Shared self, RoomId room, ViewerId viewer) {
  try {
    (void)co_await readRestraint(std::move(self), room, viewer);
  } catch (const db::Error& error) {
    sayNotRead(error);
  }
}

Directory::Directory(db::Database& db1, Bus& bus, const Clock& clock)
    : bus_(bus), memory_(std::make_shared<Memory>(db1, clock)) {
  bus.subscribe(topic::kRoomChanged, [memory = memory_](std::string_view message) {
    const auto id = http::Call::parseId(message);
    if (!id) return;
    drogon::async_run([self = memory, room = RoomId{*id}]() mutable -> drogon::Task<> {
      return Memory::readRoomAgain(std::move(self), room);
    });
  });
  bus.subscribe(topic::kRoomModeration, [memory = memory_](std::string_view message) {
    const auto entry = entryOf(message);
    if (!entry || !memory->take(*entry)) return;
    // It was taken at its word at once; now it is read, in case the news of two nodes crossed.
    drogon::async_run(
        [self = memory, room = entry->room, viewer = entry->viewer]() mutable -> drogon::Task<> {
          return Memory::readRestraintAgain(std::move(self), room, viewer);
        });
  });
  bus.onGap({topic::kRoomChanged, topic::kRoomModeration}, [memory = memory_] {
    drogon::async_run([self = memory]() mutable -> drogon::Task<> {
      return Memory::readAllAgain(std::move(self));
    });
  });
}

Directory::~Directory() = default;

void Directory::load() { memory_->readAll(*memory_->db1.connect()); }

void Directory::measure(CacheCounters counters) { memory_->counters = counters; }

std::optional<RoomCard> Directory::room(RoomId id) const {
  const std::shared_lock lock(memory_->mutex);
  const auto found = memory_->rooms.find(id);
  if (found == memory_->rooms.end()) {
    memory_->counters.miss();
    return std::nullopt;
  }
  memory_->counters.hit();
  return memory_->shown(found->second);
}

std::optional<AnchorCard> Directory::anchor(AnchorId id) const {
  const std::shared_lock lock(memory_->mutex);
  const auto found = memory_->anchors.find(id);
  return found == memory_->anchors.end() ? std::nullopt : std::optional(found->second);
}

std::vector<RoomCard> Directory::liveRooms() const {
  const std::shared_lock lock(memory_->mutex);
  std::vector<RoomCard> live;
  for (const auto& [id, known] : memory_->rooms) {
    if (known.card.state == RoomState::live) live.push_back(known.card);
  }
  return live;
}

std::optional<Time> Directory::kickedUntil(RoomId room, ViewerId viewer) const {
  return memory_->restraints.of(room, viewer, memory_->clock.now()).kickedUntil;
}

std::optional<Time> Directory::mutedUntil(RoomId room, ViewerId viewer) const {
  return memory_->restraints.of(room, viewer, memory_->clock.now()).mutedUntil;
}

std::vector<std::string> Directory::roomTags(RoomId room) const {
  const std::shared_lock lock(memory_->mutex);
  const auto found = memory_->rooms.find(room);
  return found == memory_->rooms.end() ? std::vector<std::string>{} : found->second.tags;
}

drogon::Task<> Directory::lookAgain(RoomId room) { return Memory::readRoomAgain(memory_, room); }

drogon::Task<> Directory::changed(RoomId id) {
  auto memory = memory_;
  co_await Memory::readRoom(std::move(memory), id);
  bus_.publish(topic::kRoomChanged, std::to_string(id.value));
}

drogon::Task<> Directory::restrained(RoomId room, ViewerId viewer) {
  auto memory = memory_;
  const auto state = co_await Memory::readRestraint(std::move(memory), room, viewer);
  bus_.publish(topic::kRoomModeration, messageOf(room, viewer, state));
}

}  // namespace tipflow::anchor
