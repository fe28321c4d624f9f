#include "anchor/moderation_routes.h"

#include "anchor/own_room.h"

namespace tipflow::anchor {
namespace {

using http::Access;
using http::Call;
using http::Method;
using http::ResponsePtr;
using http::Signing;
using http::Task;

constexpr Duration inSeconds(std::int64_t seconds) { return Duration{seconds * kUsPerSecond}; }

std::string shown(const std::optional<Restraint>& restraint) {
  return restraint ? json::toText(*restraint) : std::string{};
}

class Routes {
 public:
  Routes(Service& rooms, Moderation& moderation) : rooms_(rooms), moderation_(moderation) {}

  Task<ResponsePtr> ban(Call& call) {
    const auto id = call.pathId<RoomId>(0, ErrorCode::room_not_found);
    auto body = call.body<BanRequest>();
    const auto before = http::orRefuse(co_await rooms_.room(id));
    const auto after = http::orRefuse(co_await rooms_.banRoom(id, std::move(body)));
    call.change = {fmt::format("room {}", id.value), json::toText(before), json::toText(after)};
    co_return http::ok(after);
  }
  Task<ResponsePtr> liftBan(Call& call) {
    const auto id = call.pathId<RoomId>(0, ErrorCode::room_not_found);
    const auto before = http::orRefuse(co_await rooms_.room(id));
    const auto after = http::orRefuse(co_await rooms_.liftBan(id));
    call.change = {fmt::format("room {}", id.value), json::toText(before), json::toText(after)};
    co_return http::noContent();
  }

  Task<ResponsePtr> kick(Call& call) {
    const auto room = co_await ownRoom(call, rooms_.directory());
    const auto body = call.body<KickRequest>();
    auto wanted = restraintOf(call, room, ViewerId{body.viewerId.value}, body.reason);
    const auto length = inSeconds(body.seconds.value_or(KickSeconds{}).value);
    co_return co_await restrain(call, RestraintKind::kick, std::move(wanted), length);
  }
  Task<ResponsePtr> mute(Call& call) {
    const auto room = co_await ownRoom(call, rooms_.directory());
    const auto body = call.body<MuteRequest>();
    auto wanted = restraintOf(call, room, ViewerId{body.viewerId.value}, body.reason);
    const auto length = inSeconds(body.seconds.value);
    co_return co_await restrain(call, RestraintKind::mute, std::move(wanted), length);
  }
  Task<ResponsePtr> endKick(Call& call) { return release(call, RestraintKind::kick); }
  Task<ResponsePtr> endMute(Call& call) { return release(call, RestraintKind::mute); }
  Task<ResponsePtr> listKicks(Call& call) { return list(call, RestraintKind::kick); }
  Task<ResponsePtr> listMutes(Call& call) { return list(call, RestraintKind::mute); }

  Task<ResponsePtr> listChats(Call& call) {
    store::ChatFilter filter;
    filter.room = call.pathId<RoomId>(0, ErrorCode::room_not_found);
    filter.viewer = call.id<ViewerId>("viewerId");
    const auto range = call.range();
    filter.from = range.from;
    filter.to = range.to;
    filter.part = call.text("q").value_or(std::string{});
    std::optional<store::ChatPlace> after;
    if (const auto token = call.pageToken(2)) after = {Time{(*token)[0]}, (*token)[1]};
    co_return http::page(
        http::orRefuse(co_await moderation_.chats(std::move(filter), after, call.pageSize())));
  }

 private:
  static Restraint restraintOf(const Call& call, RoomId room, ViewerId viewer,
                               const std::optional<Reason>& reason) {
    Restraint wanted;
    wanted.roomId = room;
    wanted.viewerId = viewer;
    if (reason) wanted.reason = reason->value;
    wanted.by = call.principal->kind;
    wanted.byId = call.principal->id;
    return wanted;
  }
  static std::string object(RestraintKind kind, RoomId room, ViewerId viewer) {
    return fmt::format("{} of viewer {} in room {}", kind == RestraintKind::kick ? "kick" : "mute",
                       viewer.value, room.value);
  }
  Task<ResponsePtr> restrain(Call& call, RestraintKind kind, Restraint wanted, Duration length) {
    const auto name = object(kind, wanted.roomId, wanted.viewerId);
    const auto change =
        http::orRefuse(co_await moderation_.restrain(kind, std::move(wanted), length));
    call.change = {name, shown(change.before), shown(change.after)};
    co_return http::created(*change.after);
  }
  Task<ResponsePtr> release(Call& call, RestraintKind kind) {
    const auto room = co_await ownRoom(call, rooms_.directory());
    const auto viewer = call.pathId<ViewerId>(1, ErrorCode::viewer_not_found);
    const auto change = http::orRefuse(co_await moderation_.release(kind, room, viewer));
    call.change = {object(kind, room, viewer), shown(change.before), {}};
    co_return http::noContent();
  }
  Task<ResponsePtr> list(Call& call, RestraintKind kind) {
    const auto room = co_await ownRoom(call, rooms_.directory());
    std::optional<store::RestraintPlace> after;
    if (const auto token = call.pageToken(2)) after = {Time{(*token)[0]}, ViewerId{(*token)[1]}};
    co_return http::page(
        http::orRefuse(co_await moderation_.restraints(kind, room, after, call.pageSize())));
  }

  Service& rooms_;
  Moderation& moderation_;
};

}  // namespace

void addModerationRoutes(http::Router& router, Service& rooms, Moderation& moderation) {
  const auto routes = std::make_shared<Routes>(rooms, moderation);
  const auto add = [&](Method method, const char* path, Access access, auto handler,
                       Signing signing = Signing::none) {
    router.add({method, path, access,
                [routes, handler](Call& call) { return ((*routes).*handler)(call); }, signing,
                http::kBodyLimit, "anchor"});
  };
  const auto moderators =
      Access::of({Role::admin, Role::operator_, Role::anchor}).narrowedTo("own room");
  add(Method::post, "/api/v1/rooms/{id}/ban", Access::operators(), &Routes::ban, Signing::required);
  add(Method::delete_, "/api/v1/rooms/{id}/ban", Access::operators(), &Routes::liftBan,
      Signing::required);
  add(Method::get, "/api/v1/rooms/{id}/kicks", moderators, &Routes::listKicks);
  add(Method::post, "/api/v1/rooms/{id}/kicks", moderators, &Routes::kick);
  add(Method::delete_, "/api/v1/rooms/{id}/kicks/{viewerId}", moderators, &Routes::endKick);
  add(Method::get, "/api/v1/rooms/{id}/mutes", moderators, &Routes::listMutes);
  add(Method::post, "/api/v1/rooms/{id}/mutes", moderators, &Routes::mute);
  add(Method::delete_, "/api/v1/rooms/{id}/mutes/{viewerId}", moderators, &Routes::endMute);
  add(Method::get, "/api/v1/rooms/{id}/chats", Access::operators(), &Routes::listChats);
}

}  // namespace tipflow::anchor
