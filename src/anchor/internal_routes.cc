#include "anchor/internal_routes.h"

#include "anchor/card_store.h"
#include "anchor/moderation_store.h"
#include "anchor/wire.h"

namespace tipflow::anchor {
namespace {

using http::Access;
using http::Call;
using http::Method;
using http::ResponsePtr;
using http::Task;

std::optional<wire::Number> usOf(const std::optional<Time>& time) {
  return time ? std::optional(wire::Number{time->us}) : std::nullopt;
}

wire::Card shown(const store::Cards& cards) {
  wire::Card card;
  card.roomId = {cards.room.id.value};
  card.anchorId = {cards.anchor.id.value};
  card.anchorName = {cards.anchor.name};
  card.anchorGender = cards.anchor.gender;
  card.state = cards.room.state;
  card.bannedUntil = usOf(cards.bannedUntil);
  card.sessionId = {cards.room.session.value};
  for (const auto& tag : cards.tags) card.tags.items.push_back({tag});
  return card;
}

}  // namespace

void InternalRoutes::addTo(http::Router& router) {
  const auto add = [&](Method method, const char* path, auto handler) {
    router.add({method, path, Access::nodes(),
                [this, handler](Call& call) { return (this->*handler)(call); }, http::Signing::none,
                http::kBatchBodyLimit, "anchor"});
  };
  add(Method::get, "/internal/v1/anchor/cards", &InternalRoutes::cards);
  add(Method::get, "/internal/v1/anchor/restraints", &InternalRoutes::restraints);
  add(Method::post, "/internal/v1/anchor/chat", &InternalRoutes::keepChat);
}

Task<ResponsePtr> InternalRoutes::cards(Call& call) {
  store::CardFilter filter;
  filter.room = call.id<RoomId>("roomId");
  filter.anchor = call.id<AnchorId>("anchorId");
  filter.after = RoomId{call.integer("after", 0, kIdEnd - 1).value_or(0)};
  const auto found = co_await db1_.read([filter](db::Connection& connection) {
    return store::cardPage(connection, filter, wire::kPageCards);
  });
  wire::Page page;
  for (const auto& cards : found) page.items.items.push_back(shown(cards));
  if (found.size() == wire::kPageCards) page.next = wire::IdNumber{found.back().room.id.value};
  co_return http::ok(page);
}

Task<ResponsePtr> InternalRoutes::restraints(Call&) {
  const Time now = clock_.now();
  const auto found = co_await db1_.read(
      [now](db::Connection& connection) { return store::restraints(connection, now); });
  wire::Restraints all;
  for (const auto& entry : found) {
    all.items.items.push_back({{entry.room.value},
                               {entry.viewer.value},
                               usOf(entry.state.kickedUntil),
                               usOf(entry.state.mutedUntil)});
  }
  co_return http::ok(all);
}

Task<ResponsePtr> InternalRoutes::keepChat(Call& call) {
  const auto chat = call.body<wire::Chat>();
  std::vector<ChatLine> lines;
  for (const auto& line : chat.lines.items) {
    lines.push_back({RoomId{line.roomId.value}, SessionId{line.sessionId.value},
                     ViewerId{line.viewerId.value}, line.text.value, Time{line.at.value}});
  }
  const auto count = static_cast<std::int64_t>(lines.size());
  co_await chat_.keep(std::move(lines));
  co_return http::ok(wire::Kept{{count}});
}

}  // namespace tipflow::anchor
