#include "anchor/remote.h"

#include <fmt/format.h>

#include "anchor/rules.h"
#include "platform/http/call.h"
#include "platform/log.h"
#include "platform/rpc/ask.h"

namespace tipflow::anchor {
namespace {

constexpr double kLookSeconds = 0.1;
constexpr Duration kTryEvery{500 * kUsPerMs};
constexpr Duration kReadEvery{15 * kUsPerSecond};
constexpr int kRestraintTries = 3;
// Stands on the way of answers that would be refusals otherwise.
constexpr Duration kLookDeadline{500 * kUsPerMs};

rpc::Request get(std::string path) {
  rpc::Request request;
  request.path = std::move(path);
  return request;
}

std::optional<Time> timeOf(const std::optional<wire::Number>& us) {
  return us ? std::optional(Time{us->value}) : std::nullopt;
}

RestraintBook::Entry entryOf(const wire::Restraint& restraint) {
  return {RoomId{restraint.roomId.value},
          ViewerId{restraint.viewerId.value},
          {timeOf(restraint.kickedUntil), timeOf(restraint.mutedUntil)}};
}

}  // namespace

void RemoteAnchors::listen(Bus& bus) {
  bus.subscribe(topic::kRoomChanged, [this](std::string_view message) {
    if (const auto id = http::Call::parseId(message)) heardOfRoom(RoomId{*id});
  });
  bus.subscribe(topic::kRoomModeration,
                [this](std::string_view message) { heardOfRestraint(message); });
  bus.onGap({topic::kRoomChanged, topic::kRoomModeration}, [this] { due_ = true; });
}

void RemoteAnchors::start(trantor::EventLoop& loop) {
  loop_ = &loop;
  loop.runEvery(kLookSeconds, [this] { readAllIfDue(); });
  loop.queueInLoop([this] { readAllIfDue(); });
}

std::optional<RoomCard> RemoteAnchors::room(RoomId id) const {
  auto card = cards_.room(id, clock_.now());
  card ? counters_.hit() : counters_.miss();
  return card;
}

std::optional<AnchorCard> RemoteAnchors::anchor(AnchorId id) const { return cards_.anchor(id); }

std::vector<RoomCard> RemoteAnchors::liveRooms() const { return cards_.liveRooms(); }

std::optional<Time> RemoteAnchors::kickedUntil(RoomId room, ViewerId viewer) const {
  return restraints_.of(room, viewer, clock_.now()).kickedUntil;
}

std::optional<Time> RemoteAnchors::mutedUntil(RoomId room, ViewerId viewer) const {
  return restraints_.of(room, viewer, clock_.now()).mutedUntil;
}

std::vector<std::string> RemoteAnchors::roomTags(RoomId room) const { return cards_.tags(room); }

void RemoteAnchors::heardOfRoom(RoomId room) {
  auto* loop = loop_.load();
  if (loop == nullptr) return;  // everything will be read
  loop->queueInLoop([this, room] {
    drogon::async_run([this, room]() -> drogon::Task<> {
      try {
        auto query = fmt::format("roomId={}", room.value);
        co_await readOne(std::move(query));
      } catch (const db::Error& error) {
        due_ = true;
        sayAway(error);
      }
    });
  });
}

void RemoteAnchors::heardOfRestraint(std::string_view message) {
  try {
    const auto entry = entryOf(json::readBody<wire::Restraint>(message));
    ++restraintNews_;
    restraints_.set(entry, clock_.now());
  } catch (const BadRequest&) {
    due_ = true;
  }
}

void RemoteAnchors::readAllIfDue() {
  const Time now = clock_.now();
  if (reading_ || (!due_ && now - readAt_ < kReadEvery)) return;
  if (roomsKnown_ && now - triedAt_ < kTryEvery) return;
  reading_ = true;
  triedAt_ = now;
  drogon::async_run([this]() -> drogon::Task<> {
    co_await readAll();
    reading_ = false;
  });
}

drogon::Task<> RemoteAnchors::readAll() {
  due_ = false;
  try {
    co_await readCards();
    co_await readRestraints();
    readAt_ = clock_.now();
    roomsKnown_ = true;
    if (away_) log::info("anchor", "rooms are told again");
    away_ = false;
  } catch (const db::Error& error) {
    due_ = true;
    sayAway(error);
  }
}

// Once an outage.
void RemoteAnchors::sayAway(const db::Error& error) {
  if (away_) return;
  away_ = true;
  log::warn("anchor", "no node tells of rooms, those known serve",
            log::field("error", std::string_view(error.what())));
}

drogon::Task<> RemoteAnchors::readCards() {
  std::int64_t after = 0;
  for (bool more = true; more;) {
    auto request = get(fmt::format("/internal/v1/anchor/cards?after={}", after));
    const auto asked = cards_.ask();
    const auto page = co_await rpc::ask<wire::Page>(caller_, std::move(request));
    for (const auto& card : page.items.items) cards_.keep(card, asked);
    // A page that does not lead on would be asked for for ever.
    more = page.next && page.next->value > after;
    if (more) after = page.next->value;
  }
}

// What the bus says meanwhile is newer than the answer: then it is asked again.
drogon::Task<> RemoteAnchors::readRestraints() {
  for (int i = 0; i < kRestraintTries; ++i) {
    const auto news = restraintNews_.load();
    auto request = get("/internal/v1/anchor/restraints");
    const auto answer = co_await rpc::ask<wire::Restraints>(caller_, std::move(request));
    if (news != restraintNews_.load()) continue;
    std::vector<RestraintBook::Entry> all;
    for (const auto& restraint : answer.items.items) all.push_back(entryOf(restraint));
    restraints_.replace(all);
    co_return;
  }
  due_ = true;
}

drogon::Task<> RemoteAnchors::readOne(std::string query) {
  auto request = get("/internal/v1/anchor/cards?" + query);
  request.deadline = kLookDeadline;
  const auto asked = cards_.ask();
  const auto page = co_await rpc::ask<wire::Page>(caller_, std::move(request));
  for (const auto& card : page.items.items) cards_.keep(card, asked);
}

drogon::Task<> RemoteAnchors::lookAgain(RoomId room) {
  try {
    auto query = fmt::format("roomId={}", room.value);
    co_await readOne(std::move(query));
  } catch (const db::Error&) {
    co_return;  // what is known serves
  }
}

drogon::Task<> RemoteAnchors::lookAgain(AnchorId anchor) {
  try {
    auto query = fmt::format("anchorId={}", anchor.value);
    co_await readOne(std::move(query));
  } catch (const db::Error&) {
    co_return;  // what is known serves
  }
}

drogon::Task<> RemoteChatArchive::keep(std::vector<ChatLine> lines) {
  for (std::size_t begin = 0; begin < lines.size(); begin += wire::kMostLines) {
    const auto end = std::min(begin + wire::kMostLines, lines.size());
    wire::Chat chat;
    for (std::size_t i = begin; i < end; ++i) {
      const auto& line = lines[i];
      chat.lines.items.push_back({{line.room.value},
                                  {line.session.value},
                                  {line.viewer.value},
                                  {line.text.substr(0, 4 * kChatCharacters)},
                                  {line.at.us}});
    }
    rpc::Request request{drogon::Post, "/internal/v1/anchor/chat", json::toText(chat), false};
    (void)co_await rpc::ask<wire::Kept>(caller_, std::move(request));
  }
}

}  // namespace tipflow::anchor
