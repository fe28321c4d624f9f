#include "analysis/routes.h"

#include "platform/http/problem.h"

namespace tipflow::analysis {
namespace {

using http::Access;
using http::Call;
using http::Method;
using http::ResponsePtr;
using http::Signing;
using http::Task;

constexpr int kAccepted = 202;
constexpr int kRanked = 10;
constexpr int kRankedMost = 100;

class Routes {
 public:
  Routes(Reports& reports, Service& service) : reports_(reports), service_(service) {}

  Task<ResponsePtr> hourly(Call& call) {
    // Given and empty, it asks for the sum of everything.
    const bool said = call.request->parameters().contains("groupBy");
    const auto by = call.text("groupBy").value_or(said ? "" : "hour");
    const auto groups = orBadRequest(parseGroups(by));
    const CubeFilter filter{call.id<AnchorId>("anchorId"), call.word<Gender>("anchorGender"),
                            call.word<Gender>("viewerGender")};
    co_return http::ok(http::orRefuse(co_await reports_.hourly(rangeOf(call), groups, filter)));
  }
  Task<ResponsePtr> metrics(Call& call) {
    co_return http::ok(http::orRefuse(co_await reports_.metrics(rangeOf(call))));
  }
  Task<ResponsePtr> ranking(Call& call) {
    const auto limit = static_cast<int>(call.integer("limit", 1, kRankedMost).value_or(kRanked));
    co_return http::ok(http::orRefuse(co_await reports_.ranking(rangeOf(call), limit)));
  }
  Task<ResponsePtr> summary(Call& call) {
    const auto anchor = call.pathId<AnchorId>(0, ErrorCode::anchor_not_found);
    co_return http::ok(http::orRefuse(co_await reports_.summary(anchor, rangeOf(call))));
  }
  Task<ResponsePtr> heatmap(Call& call) {
    const auto anchor = call.id<AnchorId>("anchorId");
    co_return http::ok(http::orRefuse(co_await reports_.heatmap(rangeOf(call), anchor)));
  }
  Task<ResponsePtr> retention(Call& call) {
    co_return http::ok(http::orRefuse(co_await reports_.retention(rangeOf(call))));
  }
  Task<ResponsePtr> trend(Call& call) {
    const auto step = call.word<Step>("step").value_or(Step::hour);
    co_return http::ok(http::orRefuse(co_await reports_.trend(rangeOf(call), step)));
  }
  Task<ResponsePtr> portrait(Call& call) {
    const auto viewer = call.pathId<ViewerId>(0, ErrorCode::viewer_not_found);
    const bool chinese = http::prefersChinese(call.request->getHeader("accept-language"));
    co_return http::ok(http::orRefuse(co_await service_.portrait(viewer, chinese)));
  }
  Task<ResponsePtr> tiers(Call&) { co_return http::ok(co_await service_.tiers()); }
  Task<ResponsePtr> rounds(Call& call) {
    const auto token = call.pageToken(1);
    const auto before = token ? token->front() : kIdEnd;
    co_return http::page(co_await service_.rounds(before, call.pageSize()));
  }
  Task<ResponsePtr> askRound(Call& call) {
    call.noBody();
    const auto asked = http::orRefuse(co_await service_.askRound());
    co_return http::jsonResponse(kAccepted, json::toText(asked));
  }

 private:
  static AskedRange rangeOf(const Call& call) { return {call.time("from"), call.time("to")}; }
  static Groups orBadRequest(Result<Groups> groups) {
    if (!groups) throw BadRequest(groups.error());
    return *groups;
  }

  Reports& reports_;
  Service& service_;
};

}  // namespace

void addRoutes(http::Router& router, Reports& reports, Service& service) {
  const auto routes = std::make_shared<Routes>(reports, service);
  const auto add = [&](Method method, const char* path, Access access, auto handler,
                       Signing signing = Signing::none) {
    router.add({method, path, access,
                [routes, handler](Call& call) { return ((*routes).*handler)(call); }, signing,
                http::kBodyLimit, "analysis"});
  };
  const auto operators = Access::operators();
  add(Method::get, "/api/v1/analysis/hourly", operators, &Routes::hourly);
  add(Method::get, "/api/v1/analysis/metrics", operators, &Routes::metrics);
  add(Method::get, "/api/v1/analysis/anchors/ranking", operators, &Routes::ranking);
  add(Method::get, "/api/v1/analysis/anchors/{id}/summary", operators.orOwnAnchor(),
      &Routes::summary);
  add(Method::get, "/api/v1/analysis/heatmap", operators, &Routes::heatmap);
  add(Method::get, "/api/v1/analysis/retention", operators, &Routes::retention);
  add(Method::get, "/api/v1/analysis/trend", operators, &Routes::trend);
  add(Method::get, "/api/v1/analysis/viewers/{id}/portrait", operators.orOwnViewer(),
      &Routes::portrait);
  add(Method::get, "/api/v1/analysis/tiers", operators, &Routes::tiers);
  add(Method::get, "/api/v1/analysis/rounds", operators, &Routes::rounds);
  add(Method::post, "/api/v1/analysis/rounds", operators, &Routes::askRound, Signing::required);
}

}  // namespace tipflow::analysis
