#include "anchor/routes.h"

#include "anchor/own_room.h"

namespace tipflow::anchor {
namespace {

using http::Access;
using http::Call;
using http::Method;
using http::ResponsePtr;
using http::Task;

class Routes {
 public:
  Routes(Service& service, Statistics& statistics) : service_(service), statistics_(statistics) {}

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
    std::string before;
    if (call.isOperator()) before = json::toText(http::orRefuse(co_await service_.anchor(id)));
    const auto anchor = http::orRefuse(co_await service_.changeAnchor(id, std::move(body)));
    if (call.isOperator()) {
      call.change = {fmt::format("anchor {}", id.value), std::move(before), json::toText(anchor)};
    }
    co_return http::ok(anchor);
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
    auto body = call.body<ChangeRoom>();
    const auto change = [this, &body](RoomId id) {
      return service_.changeRoom(id, std::move(body));
    };
    co_return co_await act(call, change);
  }
  Task<ResponsePtr> putTags(Call& call) {
    auto body = call.body<TagsRequest>();
    const auto change = [this, &body](RoomId id) {
      ChangeRoom tags;
      tags.tags = std::move(body.tags);
      return service_.changeRoom(id, std::move(tags));
    };
    co_return co_await act(call, change);
  }
  Task<ResponsePtr> openRoom(Call& call) {
    call.noBody();
    const auto open = [this](RoomId id) { return service_.openRoom(id); };
    co_return co_await act(call, open);
  }
  Task<ResponsePtr> closeRoom(Call& call) {
    call.noBody();
    const auto close = [this](RoomId id) { return service_.closeRoom(id); };
    co_return co_await act(call, close);
  }
  Task<ResponsePtr> listSessions(Call& call) {
    const auto id = call.pathId<RoomId>(0, ErrorCode::room_not_found);
    co_return http::page(
        http::orRefuse(co_await service_.sessions(id, before(call), call.pageSize())));
  }
  Task<ResponsePtr> stats(Call& call) {
    const auto id = call.pathId<RoomId>(0, ErrorCode::room_not_found);
    co_return http::ok(http::orRefuse(co_await statistics_.stats(id, call.isOperator())));
  }
  Task<ResponsePtr> stream(Call& call) {
    const auto id = call.pathId<RoomId>(0, ErrorCode::room_not_found);
    if (!service_.directory().room(id)) throw http::Refused(ErrorCode::room_not_found);
    co_return http::ok(Stream{});
  }
  Task<ResponsePtr> listTags(Call& call) {
    auto part = call.text("q");
    auto after = call.textPageToken().value_or(std::string{});
    co_return http::page(
        co_await statistics_.tags(std::move(part), std::move(after), call.pageSize()));
  }

 private:
  static std::int64_t before(const Call& call) {
    const auto token = call.pageToken(1);
    return token ? token->front() : kIdEnd;
  }
  /// Does something to the asker's own room; what an operator did is recorded.
  template <class Action>
  Task<ResponsePtr> act(Call& call, const Action& action) {
    const auto id = co_await ownRoom(call, service_.directory());
    std::string before;
    if (call.isOperator()) before = json::toText(http::orRefuse(co_await service_.room(id)));
    const auto room = http::orRefuse(co_await action(id));
    if (call.isOperator()) {
      call.change = {fmt::format("room {}", id.value), std::move(before), json::toText(room)};
    }
    co_return http::ok(room);
  }

  Service& service_;
  Statistics& statistics_;
};

}  // namespace

void addRoutes(http::Router& router, Service& service, Statistics& statistics) {
  const auto routes = std::make_shared<Routes>(service, statistics);
  const auto add = [&](Method method, const char* path, Access access, auto handler) {
    router.add({method, path, access,
                [routes, handler](Call& call) { return ((*routes).*handler)(call); },
                http::Signing::none, http::kBodyLimit, "anchor"});
  };
  const auto own = Access::of({Role::admin, Role::anchor}).narrowedTo("own room");
  add(Method::post, "/api/v1/anchors", Access::anyone(), &Routes::registerAnchor);
  add(Method::get, "/api/v1/anchors", Access::signedIn(), &Routes::listAnchors);
  add(Method::get, "/api/v1/anchors/{id}", Access::signedIn(), &Routes::getAnchor);
  add(Method::patch, "/api/v1/anchors/{id}", Access::of({Role::admin}).orOwnAnchor(),
      &Routes::changeAnchor);
  add(Method::get, "/api/v1/rooms", Access::signedIn(), &Routes::listRooms);
  add(Method::get, "/api/v1/rooms/{id}", Access::signedIn(), &Routes::getRoom);
  add(Method::patch, "/api/v1/rooms/{id}", own, &Routes::changeRoom);
  add(Method::post, "/api/v1/rooms/{id}/open", own, &Routes::openRoom);
  add(Method::post, "/api/v1/rooms/{id}/close", own, &Routes::closeRoom);
  add(Method::get, "/api/v1/rooms/{id}/sessions", Access::signedIn(), &Routes::listSessions);
  add(Method::get, "/api/v1/rooms/{id}/stats", Access::signedIn(), &Routes::stats);
  add(Method::get, "/api/v1/rooms/{id}/stream", Access::signedIn(), &Routes::stream);
  add(Method::put, "/api/v1/rooms/{id}/tags", own, &Routes::putTags);
  add(Method::get, "/api/v1/tags", Access::signedIn(), &Routes::listTags);
}

}  // namespace tipflow::anchor
