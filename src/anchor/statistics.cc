#include "anchor/statistics.h"

#include "platform/log.h"

namespace tipflow::anchor {
namespace {

constexpr int kTopPlaces = 10;

void sayAway(const db::Error& away) {
  log::warn("anchor", "audience is away", log::field("error", std::string_view(away.what())));
}

std::vector<ShownPlace> shown(const std::vector<audience::BoardPlace>& top) {
  std::vector<ShownPlace> places;
  for (const auto& place : top) {
    const bool hidden = place.viewerId == ViewerId{0};
    places.push_back({place.rank, hidden ? std::nullopt : std::optional(place.viewerId), place.name,
                      place.amount});
  }
  return places;
}

}  // namespace

drogon::Task<Result<RoomStats>> Statistics::stats(RoomId id, bool asOperator) {
  const auto card = directory_.room(id);
  if (!card) co_return ErrorCode::room_not_found;
  RoomStats stats;
  const SessionId session = card->session;
  const auto found = co_await db1_.read(
      [session](db::Connection& connection) { return store::session(connection, session); });
  if (!found) {  // none is under way
    stats.tips = 0;
    stats.revenue = Fen{0};
    stats.top.emplace();
    co_return stats;
  }
  stats.sessionId = session;
  stats.since = found->openedAt;
  if (live_ != nullptr) {
    const auto numbers = live_->numbers(id).of(session);
    stats.viewers = numbers.viewers;
    stats.peakViewers = numbers.peakViewers;
    stats.joins = numbers.joins;
    stats.chats = numbers.chats;
  }
  co_await addSums(stats, id, asOperator);
  co_return stats;
}

drogon::Task<> Statistics::addSums(RoomStats& stats, RoomId id, bool asOperator) {
  if (audience_ == nullptr) co_return;
  try {
    const auto board =
        co_await audience_->sessionTop(id, *stats.sessionId, *stats.since, kTopPlaces, asOperator);
    stats.tips = board.sum.tips;
    stats.revenue = board.sum.amount;
    if (board.top) stats.top = shown(*board.top);
  } catch (const db::Error& away) {
    sayAway(away);
  }
}

drogon::Task<http::Page<ShownTag>> Statistics::tags(std::optional<std::string> part,
                                                    std::string after, int limit) {
  const auto rooms = co_await db1_.readPage(after.empty(), [&](db::Connection& connection) {
    return store::tagUse(connection, part, after, limit + 1);
  });
  std::vector<audience::TagUse> viewers;
  bool known = audience_ != nullptr;
  if (known) {
    try {
      viewers = co_await audience_->tagUse(part, after, limit + 1);
    } catch (const db::Error& away) {
      sayAway(away);
      known = false;
    }
  }
  auto found = firstTags(rooms, viewers, static_cast<std::size_t>(limit) + 1);
  http::Page<ShownTag> page;
  if (static_cast<int>(found.size()) > limit) {
    found.resize(static_cast<std::size_t>(limit));
    page.nextPageToken = http::makeTextPageToken(found.back().tag);
  }
  for (auto& tag : found) {
    page.items.push_back(
        {std::move(tag.tag), tag.rooms, known ? std::optional(tag.viewers) : std::nullopt});
  }
  co_return page;
}

}  // namespace tipflow::anchor
