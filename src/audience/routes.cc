#include "audience/routes.h"

#include <fmt/compile.h>

namespace tipflow::audience {
namespace {

using http::Access;
using http::Call;
using http::Method;
using http::ResponsePtr;
using http::Signing;
using http::Task;

class Routes {
 public:
  Routes(ViewerService& viewers, TipService& tips) : viewers_(viewers), tips_(tips) {}

  Task<ResponsePtr> registerViewer(Call& call) {
    auto body = call.body<RegisterViewer>();
    co_return http::created(http::orRefuse(co_await viewers_.registerViewer(std::move(body))));
  }
  Task<ResponsePtr> makeGuest(Call& call) {
    call.noBody();
    co_return http::created(co_await viewers_.makeGuest());
  }
  Task<ResponsePtr> listViewers(Call& call) {
    const auto token = call.pageToken(1);
    auto name = call.text("q");
    const auto before = token ? token->front() : kIdEnd;
    co_return http::page(co_await viewers_.viewers(std::move(name), call.word<ViewerKind>("kind"),
                                                   before, call.pageSize()));
  }
  Task<ResponsePtr> getViewer(Call& call) {
    co_return http::ok(http::orRefuse(co_await viewers_.viewer(viewerOf(call))));
  }
  Task<ResponsePtr> changeViewer(Call& call) {
    auto body = call.body<ChangeViewer>();
    const auto change = [this, &body](ViewerId id) {
      return viewers_.changeViewer(id, std::move(body));
    };
    co_return co_await act(call, change);
  }
  Task<ResponsePtr> putTags(Call& call) {
    auto body = call.body<TagsRequest>();
    const auto change = [this, &body](ViewerId id) {
      ChangeViewer tags;
      tags.tags = std::move(body.tags);
      return viewers_.changeViewer(id, std::move(tags));
    };
    co_return co_await act(call, change);
  }
  Task<ResponsePtr> upgrade(Call& call) {
    auto body = call.body<RegisterViewer>();
    const auto change = [this, &body](ViewerId id) {
      return viewers_.upgrade(id, std::move(body));
    };
    co_return co_await act(call, change);
  }
  Task<ResponsePtr> disable(Call& call) { return setState(call, ViewerState::disabled); }
  Task<ResponsePtr> enable(Call& call) { return setState(call, ViewerState::active); }

  Task<ResponsePtr> give(Call& call) {
    const auto request = call.body<TipRequest>();
    const auto given = http::orRefuse(co_await tips_.give(call.viewer(), request, call.context));
    call.note(log::field("tip", request.traceId.hex()), log::field("tipId", given.id.value));
    // By hand: this is the hot path, and the shape is four fields.
    co_return http::jsonResponse(
        given.created ? 201 : 200,
        fmt::format(FMT_COMPILE(R"({{"tipId":{},"traceId":"{}","status":"{}","acceptedAt":"{}"}})"),
                    given.id.value, request.traceId.hex(), given.created ? "created" : "exists",
                    formatTime(given.acceptedAt)));
  }
  Task<ResponsePtr> giveBatch(Call& call) {
    auto body = call.body<TipBatchRequest>();
    co_return http::ok(co_await tips_.giveBatch(std::move(body)));
  }
  Task<ResponsePtr> getTip(Call& call) {
    const auto traceId = call.pathTraceId(0);
    const auto tip = http::orRefuse(co_await tips_.tip(traceId));
    refuseOthers(call, tip);
    co_return http::ok(tip);
  }
  Task<ResponsePtr> journey(Call& call) {
    const auto traceId = call.pathTraceId(0);
    refuseOthers(call, http::orRefuse(co_await tips_.tip(traceId)));
    co_return http::ok(http::orRefuse(co_await tips_.journey(traceId)));
  }
  Task<ResponsePtr> listTips(Call& call) {
    store::TipFilter filter;
    filter.room = call.id<RoomId>("roomId");
    filter.anchor = call.id<AnchorId>("anchorId");
    filter.viewer = call.id<ViewerId>("viewerId");
    if (call.principal->kind == PrincipalKind::viewer) {
      if (filter.viewer && *filter.viewer != call.viewer())
        throw http::Refused(ErrorCode::forbidden);
      filter.viewer = call.viewer();
    }
    if (call.principal->kind == PrincipalKind::anchor) {
      if ((filter.anchor && *filter.anchor != call.anchor()) ||
          (filter.room && !tips_.ownsRoom(call.anchor(), *filter.room))) {
        throw http::Refused(ErrorCode::forbidden);
      }
      filter.anchor = call.anchor();
    }
    co_return co_await page(call, filter);
  }
  Task<ResponsePtr> listViewerTips(Call& call) {
    store::TipFilter filter;
    filter.viewer = viewerOf(call);
    co_return co_await page(call, filter);
  }

 private:
  Task<ResponsePtr> setState(Call& call, ViewerState state) {
    call.noBody();
    const auto change = [this, state](ViewerId id) { return viewers_.setState(id, state); };
    co_return co_await act(call, change);
  }
  /// Changes the viewer of the path; what an operator did is recorded.
  template <class Action>
  Task<ResponsePtr> act(Call& call, const Action& action) {
    const auto id = viewerOf(call);
    std::string before;
    if (call.isOperator()) before = json::toText(http::orRefuse(co_await viewers_.viewer(id)));
    const auto after = http::orRefuse(co_await action(id));
    if (call.isOperator()) {
      call.change = {fmt::format("viewer {}", id.value), std::move(before), json::toText(after)};
    }
    co_return http::ok(after);
  }
  static ViewerId viewerOf(const Call& call) {
    return call.pathId<ViewerId>(0, ErrorCode::viewer_not_found);
  }
  /// Other people's tips look like tips that do not exist (docs/decisions/0001).
  static void refuseOthers(const Call& call, const ShownTip& tip) {
    const auto& who = *call.principal;
    const bool own = (who.kind == PrincipalKind::viewer && tip.viewerId == ViewerId{who.id}) ||
                     (who.kind == PrincipalKind::anchor && tip.anchorId == AnchorId{who.id}) ||
                     who.kind == PrincipalKind::operator_;
    if (!own) throw http::Refused(ErrorCode::tip_not_found);
  }
  Task<ResponsePtr> page(Call& call, store::TipFilter filter) {
    const auto range = call.range();
    filter.from = range.from;
    filter.to = range.to;
    std::optional<store::TipPlace> after;
    if (const auto token = call.pageToken(2)) after = {Time{(*token)[0]}, TipId{(*token)[1]}};
    co_return http::page(co_await tips_.tips(filter, after, call.pageSize()));
  }

  ViewerService& viewers_;
  TipService& tips_;
};

}  // namespace

void addRoutes(http::Router& router, ViewerService& viewers, TipService& tips) {
  const auto routes = std::make_shared<Routes>(viewers, tips);
  const auto add = [&](Method method, const char* path, Access access, auto handler,
                       Signing signing = Signing::none) {
    router.add({method, path, access,
                [routes, handler](Call& call) { return ((*routes).*handler)(call); }, signing,
                http::kBodyLimit, "audience"});
  };
  const auto operators = Access::operators();
  const auto ownOrOperator = operators.orOwnViewer();
  const auto ownOrAdmin = Access::of({Role::admin}).orOwnViewer();
  const auto ownTips = Access::signedIn().narrowedTo("own tips");
  add(Method::post, "/api/v1/viewers", Access::anyone(), &Routes::registerViewer);
  add(Method::post, "/api/v1/viewers/guests", Access::anyone(), &Routes::makeGuest);
  add(Method::get, "/api/v1/viewers", operators, &Routes::listViewers);
  add(Method::get, "/api/v1/viewers/{id}", ownOrOperator, &Routes::getViewer);
  add(Method::patch, "/api/v1/viewers/{id}", ownOrAdmin, &Routes::changeViewer);
  add(Method::put, "/api/v1/viewers/{id}/tags", ownOrAdmin, &Routes::putTags);
  add(Method::post, "/api/v1/viewers/{id}/upgrade", ownOrAdmin, &Routes::upgrade);
  add(Method::post, "/api/v1/viewers/{id}/disable", operators, &Routes::disable, Signing::required);
  add(Method::post, "/api/v1/viewers/{id}/enable", operators, &Routes::enable, Signing::required);
  add(Method::get, "/api/v1/viewers/{id}/tips", ownOrOperator, &Routes::listViewerTips);
  add(Method::post, "/api/v1/tips", Access::of({Role::viewer}), &Routes::give,
      Signing::traceIdIsNonce);
  constexpr bool kRecorded = false;  // tips are their own record
  router.add({Method::post, "/api/v1/tips/batch", operators,
              [routes](Call& call) { return routes->giveBatch(call); }, Signing::traceIdIsNonce,
              http::kBatchBodyLimit, "audience", kRecorded});
  add(Method::get, "/api/v1/tips", ownTips, &Routes::listTips);
  add(Method::get, "/api/v1/tips/{traceId}", ownTips, &Routes::getTip);
  add(Method::get, "/api/v1/tips/{traceId}/journey", ownTips, &Routes::journey);
}

}  // namespace tipflow::audience
