#include "anchor/routes.h"

namespace tipflow::anchor {
namespace {

using http::Access;
using http::Call;
using http::Method;
using http::ResponsePtr;
using http::Task;

class Routes {
 public:
  explicit Routes(Service& service) : service_(service) {}

  Task<ResponsePtr> registerAnchor(Call& call) {
    auto body = call.body<RegisterAnchor>();
    co_return http::created(http::orRefuse(co_await service_.registerAnchor(std::move(body))));
  }
  Task<ResponsePtr> listAnchors(Call& call) {
    auto name = call.text("q");
    co_return http::page(co_await service_.anchors(std::move(name), before(call), call.pageSize()));
  }
  Task<ResponsePtr> getAnchor(Call& call) {
    const auto id = call.pathId<AnchorId>(0, ErrorCode::anchor_not_found);
    co_return http::ok(http::orRefuse(co_await service_.anchor(id)));
  }
  Task<ResponsePtr> changeAnchor(Call& call) {
    const auto id = call.pathId<AnchorId>(0, ErrorCode::anchor_not_found);
    auto body = call.body<ChangeAnchor>();
    co_return http::ok(http::orRefuse(co_await service_.changeAnchor(id, std::move(body))));
  }
  Task<ResponsePtr> listRooms(Call& call) {
    store::RoomFilter filter;
    filter.state = call.word<RoomState>("state");
    filter.category = call.text("category");
    filter.tag = call.text("tag");
    filter.anchor = call.id<AnchorId>("anchorId");
    co_return http::page(co_await service_.rooms(std::move(filter), before(call), call.pageSize()));
  }
  Task<ResponsePtr> getRoom(Call& call) {
    const auto id = call.pathId<RoomId>(0, ErrorCode::room_not_found);
    co_return http::ok(http::orRefuse(co_await service_.room(id)));
  }
  Task<ResponsePtr> changeRoom(Call& call) {
    const auto id = ownRoom(call);
    auto body = call.body<ChangeRoom>();
    std::string before;
    if (call.isOperator()) before = json::toText(http::orRefuse(co_await service_.room(id)));
    const auto room = http::orRefuse(co_await service_.changeRoom(id, std::move(body)));
    if (call.isOperator()) {
      call.change = {fmt::format("room {}", id.value), std::move(before), json::toText(room)};
    }
    co_return http::ok(room);
  }
  Task<ResponsePtr> openRoom(Call& call) {
    const auto id = ownRoom(call);
    co_return http::ok(http::orRefuse(co_await service_.openRoom(id)));
  }
  Task<ResponsePtr> closeRoom(Call& call) {
    const auto id = ownRoom(call);
    co_return http::ok(http::orRefuse(co_await service_.closeRoom(id)));
  }
  Task<ResponsePtr> listSessions(Call& call) {
    const auto id = call.pathId<RoomId>(0, ErrorCode::room_not_found);
    co_return http::page(
        http::orRefuse(co_await service_.sessions(id, before(call), call.pageSize())));
  }

 private:
  static std::int64_t before(const Call& call) {
    const auto token = call.pageToken(1);
    return token ? token->front() : kIdEnd;
  }
  /// The room of the path, when it is the asking anchor's or an admin asks.
  RoomId ownRoom(const Call& call) const {
    const auto id = call.pathId<RoomId>(0, ErrorCode::room_not_found);
    if (call.is(Role::admin)) return id;
    const auto card = service_.directory().room(id);
    if (!card || card->anchor != call.anchor()) throw http::Refused(ErrorCode::forbidden);
    return id;
  }

  Service& service_;
};

}  // namespace

void addRoutes(http::Router& router, Service& service) {
  const auto routes = std::make_shared<Routes>(service);
  const auto add = [&](Method method, const char* path, Access access, auto handler) {
    router.add({method, path, access,
                [routes, handler](Call& call) { return ((*routes).*handler)(call); },
                http::Signing::none, http::kBodyLimit, "anchor"});
  };
  const auto ownRoom = Access::of({Role::admin, Role::anchor}).narrowedTo("own room");
  add(Method::post, "/api/v1/anchors", Access::anyone(), &Routes::registerAnchor);
  add(Method::get, "/api/v1/anchors", Access::signedIn(), &Routes::listAnchors);
  add(Method::get, "/api/v1/anchors/{id}", Access::signedIn(), &Routes::getAnchor);
  add(Method::patch, "/api/v1/anchors/{id}", Access::of({Role::admin}).orOwnAnchor(),
      &Routes::changeAnchor);
  add(Method::get, "/api/v1/rooms", Access::signedIn(), &Routes::listRooms);
  add(Method::get, "/api/v1/rooms/{id}", Access::signedIn(), &Routes::getRoom);
  add(Method::patch, "/api/v1/rooms/{id}", ownRoom, &Routes::changeRoom);
  add(Method::post, "/api/v1/rooms/{id}/open", ownRoom, &Routes::openRoom);
  add(Method::post, "/api/v1/rooms/{id}/close", ownRoom, &Routes::closeRoom);
  add(Method::get, "/api/v1/rooms/{id}/sessions", Access::signedIn(), &Routes::listSessions);
}

}  // namespace tipflow::anchor
