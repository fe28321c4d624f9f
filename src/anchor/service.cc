#include "anchor/service.h"

#include "anchor/moderation_store.h"
#include "anchor/rules.h"

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
  auto reading = db1_.readPage(before == kIdEnd, [&](db::Connection& connection) {
    return store::anchors(connection, name, before, limit + 1);
  });
  auto items = co_await reading;
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

Room Service::asNow(Room room) const {
  const auto bannedUntil = room.ban ? room.ban->until : std::nullopt;
  room.state = stateAt(room.state, bannedUntil, clock_.now());
  if (room.state != RoomState::banned) room.ban.reset();
  if (!room.sessionId) return room;
  if (audience_ != nullptr) room.revenue = audience_->liveSum(*room.sessionId).amount;
  if (live_ != nullptr) room.viewers = live_->numbers(room.id).of(*room.sessionId).viewers;
  return room;
}

drogon::Task<Result<Room>> Service::room(RoomId id) {
  auto found =
      co_await db1_.read([id](db::Connection& connection) { return store::room(connection, id); });
  if (!found) co_return ErrorCode::room_not_found;
  co_return asNow(std::move(*found));
}

drogon::Task<http::Page<Room>> Service::rooms(store::RoomFilter filter, std::int64_t before,
                                              int limit) {
  filter.now = clock_.now();
  auto reading = db1_.readPage(before == kIdEnd, [&](db::Connection& connection) {
    return store::rooms(connection, filter, before, limit + 1);
  });
  auto items = co_await reading;
  for (auto& room : items) room = asNow(std::move(room));
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

std::optional<store::Attendance> Service::attendance(RoomId id) const {
  if (live_ == nullptr) return std::nullopt;
  const auto numbers = live_->numbers(id);
  return store::Attendance{numbers.session, numbers.peakViewers, numbers.joins, numbers.chats};
}

drogon::Task<Result<Room>> Service::closeRoom(RoomId id) {
  const Time now = clock_.now();
  const auto watched = attendance(id);
  const auto outcome = co_await db1_.write([&](db::Connection& connection) {
    return store::ending(connection, id, watched,
                         [&] { return store::closeRoom(connection, id, now); });
  });
  if (outcome == store::Transition::notFound) co_return ErrorCode::room_not_found;
  co_await directory_.changed(id);
  co_return co_await room(id);
}

drogon::Task<Result<Room>> Service::banRoom(RoomId id, BanRequest request) {
  const Time now = clock_.now();
  if (auto fault = faultOfBan(request.until, now)) {
    co_return Rejection{ErrorCode::invalid_request, {}, {std::move(*fault)}};
  }
  const Ban ban{request.reason.value, request.until};
  const auto watched = attendance(id);
  const auto outcome = co_await db1_.write([&](db::Connection& connection) {
    return store::ending(connection, id, watched,
                         [&] { return store::banRoom(connection, id, ban, now); });
  });
  if (outcome == store::Transition::notFound) co_return ErrorCode::room_not_found;
  co_await directory_.changed(id);
  co_return co_await room(id);
}

drogon::Task<Result<Room>> Service::liftBan(RoomId id) {
  const auto outcome = co_await db1_.write(
      [id](db::Connection& connection) { return store::liftBan(connection, id); });
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
    auto shown = co_await withSums(entry);
    items.push_back(std::move(shown));
  }
  co_return pageOf(std::move(items), limit);
}

drogon::Task<RoomSession> Service::withSums(store::StoredSession stored) {
  auto session = stored.session;
  if (!session.closedAt && live_ != nullptr) {
    const auto numbers = live_->numbers(session.roomId).of(session.id);
    session.peakViewers = numbers.peakViewers;
    session.joins = numbers.joins;
    session.chats = numbers.chats;
  }
  if (stored.summed || audience_ == nullptr) co_return session;
  const Time now = clock_.now();
  const Time until = session.closedAt.value_or(now) + kSessionAfterglow;
  const auto sum =
      co_await audience_->sessionSum(session.roomId, session.id, session.openedAt, until);
  session.tips = sum.tips;
  session.revenue = sum.amount;
  if (session.closedAt && now > until) {
    co_await db1_.write([&](db::Connection& connection) {
      store::keepSums(connection, session.id, sum.tips, sum.amount);
    });
  }
  co_return session;
}

}  // namespace tipflow::anchor
