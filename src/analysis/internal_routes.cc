#include "analysis/internal_routes.h"

#include <cstdlib>

#include "analysis/wire.h"

namespace tipflow::analysis {

using http::Call;
using http::Method;
using http::ResponsePtr;
using http::Task;

void InternalRoutes::addTo(http::Router& router) {
  const auto add = [&](Method method, const char* path, auto handler) {
    router.add({method, path, http::Access::nodes(),
                [this, handler](Call& call) { return (this->*handler)(call); }, http::Signing::none,
                http::kBatchBodyLimit, "analysis"});
  };
  add(Method::get, "/internal/v1/analysis/portraits/{viewer}", &InternalRoutes::portrait);
  add(Method::post, "/internal/v1/analysis/tiers", &InternalRoutes::tiers);
  add(Method::get, "/internal/v1/analysis/counted/{tip}", &InternalRoutes::countedBy);
  add(Method::post, "/internal/v1/analysis/watched", &InternalRoutes::noteWatched);
  add(Method::get, "/internal/v1/analysis/disagreement", &InternalRoutes::disagreement);
}

Task<ResponsePtr> InternalRoutes::portrait(Call& call) {
  const auto viewer = call.pathId<ViewerId>(0, ErrorCode::viewer_not_found);
  const auto found = co_await analysis_.portrait(viewer);
  wire::PortraitReply reply;
  if (found) {
    reply.portrait = wire::Portrait{{found->viewerId.value}, {found->total.value}, {found->tips},
                                    {found->rank},           {found->viewers},     found->tier,
                                    {found->round},          {found->updatedAt.us}};
  }
  co_return http::ok(reply);
}

Task<ResponsePtr> InternalRoutes::tiers(Call& call) {
  const auto asked = call.body<wire::TiersRequest>();
  std::vector<ViewerId> viewers;
  for (const auto& id : asked.viewers.items) viewers.emplace_back(id.value);
  const auto tiers = co_await analysis_.tiers(std::move(viewers));
  wire::TiersReply reply;
  for (const auto& [viewer, tier] : tiers) reply.tiers.items.push_back({{viewer.value}, tier});
  co_return http::ok(reply);
}

Task<ResponsePtr> InternalRoutes::countedBy(Call& call) {
  const auto by = co_await analysis_.countedBy(call.pathId<TipId>(0, ErrorCode::tip_not_found));
  wire::CountedReply reply;
  if (by) reply.by = {by->us};
  co_return http::ok(reply);
}

Task<ResponsePtr> InternalRoutes::noteWatched(Call& call) {
  const auto told = call.body<wire::WatchedRequest>();
  std::vector<Watched> watched;
  for (const auto& one : told.watched.items) {
    watched.push_back({ViewerId{one.viewerId.value}, RoomId{one.roomId.value}, one.seconds.value,
                       Time{one.at.value}});
  }
  const auto count = static_cast<std::int64_t>(watched.size());
  co_await analysis_.noteWatched(std::move(watched));
  co_return http::ok(wire::Noted{{count}});
}

Task<ResponsePtr> InternalRoutes::disagreement(Call&) {
  const auto by = co_await analysis_.disagreement();
  co_return http::ok(wire::Disagreement{{std::abs(by)}});
}

}  // namespace tipflow::analysis
