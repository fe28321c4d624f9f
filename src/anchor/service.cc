#include "anchor/service.h"

#include "platform/log.h"

namespace tipflow::anchor {
namespace {

// A tip checked against an open room commits within the lane's waiting time; after this long no tip
// can join a closed session any more, and its sums may be kept.
constexpr Duration kSessionAfterglow{60 * kUsPerSecond};

template <class T>
http::Page<T> pageOf(std::vector<T> items, int limit) {
  http::Page<T> page;
  if (static_cast<int>(items.size()) > limit) {
    items.resize(static_cast<std::size_t>(limit));
    page.nextPageToken = http::makePageToken({items.back().id.value});
  }
  page.items = std::move(items);
  return page;
}

}  // namespace

Directory::Directory(db::Database& db1, Bus& bus) : db1_(db1), bus_(bus) {}

void Directory::load() {
  const auto connection = db1_.connect();
  keep(store::cards(*connection, std::nullopt));
}

std::optional<RoomCard> Directory::room(RoomId id) const {
  const std::shared_lock lock(mutex_);
  const auto found = rooms_.find(id);
  if (found == rooms_.end()) {
    counters_.miss();
    return std::nullopt;
  }
  counters_.hit();
  return found->second;
}

std::optional<AnchorCard> Directory::anchor(AnchorId id) const {
  const std::shared_lock lock(mutex_);
  const auto found = anchors_.find(id);
  return found == anchors_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<RoomCard> Directory::liveRooms() const {
  const std::shared_lock lock(mutex_);
  std::vector<RoomCard> live;
  for (const auto& [id, room] : rooms_) {
    if (room.state == RoomState::live) live.push_back(room);
  }
  return live;
}

drogon::Task<> Directory::changed(RoomId id) {
  const auto cards =
      co_await db1_.read([id](db::Connection& connection) { return store::cards(connection, id); });
  keep(cards);
  bus_.publish(topic::kRoomChanged, std::to_string(id.value));
}

void Directory::keep(const std::vector<store::Cards>& cards) {
  const std::unique_lock lock(mutex_);
  for (const auto& card : cards) {
    rooms_[card.room.id] = card.room;
    anchors_[card.anchor.id] = card.anchor;
  }
}

drogon::Task<Result<Anchor>> Service::registerAnchor(RegisterAnchor request) {
  store::NewAnchor anchor;
  anchor.name = request.name.value;
  anchor.passwordHash = co_await passwords_.hash(request.password.value);
  anchor.gender = request.gender;
  anchor.age = request.age.value;
  if (request.region) anchor.region = request.region->value;
  if (request.category) anchor.category = request.category->value;
  if (request.tags) anchor.tags = tagsOf(*request.tags);
  anchor.createdAt = clock_.now();
  std::optional<Anchor> made;
  try {
    made = co_await db1_.write([&](db::Connection& connection) {
      return store::anchor(connection, store::insertAnchor(connection, anchor));
    });
  } catch (const db::DuplicateKey&) {
    co_return ErrorCode::name_taken;
  }
  co_await directory_.changed(made->roomId);
  made->shareBp = co_await rateOf(made->id);
  co_return std::move(*made);
}

drogon::Task<Result<Anchor>> Service::changeAnchor(AnchorId id, ChangeAnchor change) {
  std::optional<std::string> hash;
  if (change.password) hash = co_await passwords_.hash(change.password->value);
  bool found = false;
  try {
    found = co_await db1_.write([&](db::Connection& connection) {
      return store::changeAnchor(connection, id, change, hash);
    });
  } catch (const db::DuplicateKey&) {
    co_return ErrorCode::name_taken;
  }
  if (!found) co_return ErrorCode::anchor_not_found;
  auto anchor = co_await this->anchor(id);
  if (anchor) co_await directory_.changed(anchor->roomId);
  co_return anchor;
}

drogon::Task<Result<Anchor>> Service::anchor(AnchorId id) {
  auto found = co_await db1_.read(
      [id](db::Connection& connection) { return store::anchor(connection, id); });
  if (!found) co_return ErrorCode::anchor_not_found;
  found->shareBp = co_await rateOf(id);
  co_return std::move(*found);
}

drogon::Task<http::Page<Anchor>> Service::anchors(std::optional<std::string> name,
                                                  std::int64_t before, int limit) {
  auto items = co_await db1_.read([&](db::Connection& connection) {
    return store::anchors(connection, name, before, limit + 1);
  });
  auto page = pageOf(std::move(items), limit);
  for (auto& anchor : page.items) anchor.shareBp = co_await rateOf(anchor.id);
  co_return page;
}

drogon::Task<std::optional<Account>> Service::account(std::string name) {
  co_return co_await db1_.read(
      [&](db::Connection& connection) { return store::account(connection, name); });
}

drogon::Task<std::optional<BasisPoints>> Service::rateOf(AnchorId id) {
  if (finance_ == nullptr) co_return std::nullopt;
  try {
    co_return co_await finance_->rateNow(id);
  } catch (const db::Error&) {
    co_return std::nullopt;  // honest: not known now
  }
}

Room Service::withLiveSum(Room room) const {
  if (room.sessionId && audience_ != nullptr) {
    room.revenue = audience_->liveSum(*room.sessionId).amount;
  }
  return room;
}

drogon::Task<Result<Room>> Service::room(RoomId id) {
  auto found =
      co_await db1_.read([id](db::Connection& connection) { return store::room(connection, id); });
  if (!found) co_return ErrorCode::room_not_found;
  co_return withLiveSum(std::move(*found));
}

drogon::Task<http::Page<Room>> Service::rooms(store::RoomFilter filter, std::int64_t before,
                                              int limit) {
  auto items = co_await db1_.read([&](db::Connection& connection) {
    return store::rooms(connection, filter, before, limit + 1);
  });
  for (auto& room : items) room = withLiveSum(std::move(room));
  co_return pageOf(std::move(items), limit);
}

drogon::Task<Result<Room>> Service::changeRoom(RoomId id, ChangeRoom change) {
  const bool found = co_await db1_.write(
      [&](db::Connection& connection) { return store::changeRoom(connection, id, change); });
  if (!found) co_return ErrorCode::room_not_found;
  co_await directory_.changed(id);
  co_return co_await room(id);
}

drogon::Task<Result<Room>> Service::openRoom(RoomId id) {
  const Time now = clock_.now();
  const auto outcome = co_await db1_.write(
      [&](db::Connection& connection) { return store::openRoom(connection, id, now); });
  if (outcome == store::Transition::notFound) co_return ErrorCode::room_not_found;
  if (outcome == store::Transition::banned) co_return ErrorCode::room_banned;
  co_await directory_.changed(id);
  co_return co_await room(id);
}

drogon::Task<Result<Room>> Service::closeRoom(RoomId id) {
  const Time now = clock_.now();
  const auto outcome = co_await db1_.write(
      [&](db::Connection& connection) { return store::closeRoom(connection, id, now); });
  if (outcome == store::Transition::notFound) co_return ErrorCode::room_not_found;
  co_await directory_.changed(id);
  co_return co_await room(id);
}

drogon::Task<Result<http::Page<RoomSession>>> Service::sessions(RoomId id, std::int64_t before,
                                                                int limit) {
  if (!directory_.room(id)) co_return ErrorCode::room_not_found;
  const auto stored = co_await db1_.read([&](db::Connection& connection) {
    return store::sessions(connection, id, before, limit + 1);
  });
  std::vector<RoomSession> items;
  for (const auto& entry : stored) {
    auto session = entry.session;
    if (!entry.summed && audience_ != nullptr) {
      const Time now = clock_.now();
      const Time until = session.closedAt.value_or(now) + kSessionAfterglow;
      const auto sum = co_await audience_->sessionSum(id, session.id, session.openedAt, until);
      session.tips = sum.tips;
      session.revenue = sum.amount;
      if (session.closedAt && now > until) {
        co_await db1_.write([&](db::Connection& connection) {
          store::keepSums(connection, session.id, sum.tips, sum.amount);
          return true;
        });
      }
    }
    items.push_back(session);
  }
  co_return pageOf(std::move(items), limit);
}

}  // namespace tipflow::anchor
