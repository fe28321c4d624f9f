#include "anchor/moderation.h"

#include "anchor/rules.h"
#include "anchor/viewer_names.h"

namespace tipflow::anchor {
namespace {

// Lines of a room that one page of a search looks at.
constexpr std::size_t kChatScan = 20'000;

std::optional<Restraint> whileItHolds(std::optional<Restraint> restraint, Time now) {
  if (restraint && !holds(restraint->until, now)) return std::nullopt;
  return restraint;
}

}  // namespace

drogon::Task<Result<Moderation::Change>> Moderation::restrain(RestraintKind kind, Restraint wanted,
                                                              Duration length) {
  if (!directory_.room(wanted.roomId)) co_return ErrorCode::room_not_found;
  std::vector<ViewerId> one{wanted.viewerId};
  const auto names = co_await namesOf(audience_, std::move(one));
  wanted.viewerName = names.of(wanted.viewerId);
  if (names.known && !wanted.viewerName) co_return ErrorCode::viewer_not_found;
  const Time now = clock_.now();
  wanted.createdAt = now;
  wanted.until = now + length;
  auto before = co_await db1_.write([&](db::Connection& connection) {
    auto stood = store::restraint(connection, kind, wanted.roomId, wanted.viewerId);
    store::restrain(connection, kind, wanted);
    return stood;
  });
  co_await directory_.restrained(wanted.roomId, wanted.viewerId);
  Change change{whileItHolds(std::move(before), now), std::move(wanted)};
  if (change.before) change.before->viewerName = change.after->viewerName;
  co_return change;
}

drogon::Task<Result<Moderation::Change>> Moderation::release(RestraintKind kind, RoomId room,
                                                             ViewerId viewer) {
  if (!directory_.room(room)) co_return ErrorCode::room_not_found;
  auto before = co_await db1_.write([&](db::Connection& connection) {
    auto stood = store::restraint(connection, kind, room, viewer);
    store::release(connection, kind, room, viewer);
    return stood;
  });
  co_await directory_.restrained(room, viewer);
  co_return Change{whileItHolds(std::move(before), clock_.now()), std::nullopt};
}

drogon::Task<Result<http::Page<Restraint>>> Moderation::restraints(
    RestraintKind kind, RoomId room, std::optional<store::RestraintPlace> after, int limit) {
  if (!directory_.room(room)) co_return ErrorCode::room_not_found;
  const Time now = clock_.now();
  http::Page<Restraint> page;
  page.items = co_await db1_.read([&](db::Connection& connection) {
    return store::restraints(connection, kind, room, now, after, limit + 1);
  });
  if (static_cast<int>(page.items.size()) > limit) {
    page.items.resize(static_cast<std::size_t>(limit));
    const auto& last = page.items.back();
    page.nextPageToken = http::makePageToken({last.createdAt.us, last.viewerId.value});
  }
  std::vector<ViewerId> ids;
  for (const auto& restraint : page.items) ids.push_back(restraint.viewerId);
  const auto names = co_await namesOf(audience_, std::move(ids));
  for (auto& restraint : page.items) restraint.viewerName = names.of(restraint.viewerId);
  co_return page;
}

drogon::Task<> Moderation::keep(std::vector<ChatLine> lines) {
  co_await db1_.write([&](db::Connection& connection) { store::insertChats(connection, lines); });
}

drogon::Task<Result<http::Page<ShownChat>>> Moderation::chats(store::ChatFilter filter,
                                                              std::optional<store::ChatPlace> after,
                                                              int limit) {
  if (!directory_.room(filter.room)) co_return ErrorCode::room_not_found;
  auto found = co_await db1_.readPage(!after, [&](db::Connection& connection) {
    return store::chats(connection, filter, after, static_cast<std::size_t>(limit), kChatScan);
  });
  http::Page<ShownChat> page;
  page.items = std::move(found.chats);
  if (found.continues) {
    page.nextPageToken = http::makePageToken({found.continues->at.us, found.continues->id});
  }
  std::vector<ViewerId> ids;
  for (const auto& chat : page.items) ids.push_back(chat.viewerId);
  const auto names = co_await namesOf(audience_, std::move(ids));
  for (auto& chat : page.items) chat.viewerName = names.of(chat.viewerId);
  co_return page;
}

}  // namespace tipflow::anchor
