#include "audience/internal_routes.h"

#include "audience/wire.h"

namespace tipflow::audience {
namespace {

using http::Access;
using http::Call;
using http::Method;
using http::ResponsePtr;
using http::Task;

constexpr std::int64_t kMostPlaces = 1'000;

/// A parameter that must be there.
std::int64_t need(const Call& call, const char* name, std::int64_t least, std::int64_t most) {
  const auto value = call.integer(name, least, most);
  if (!value) throw BadRequest(name, ErrorCode::required, "is required");
  return *value;
}
Time needTime(const Call& call, const char* name) {
  return Time{need(call, name, 0, std::numeric_limits<std::int64_t>::max() - 1)};
}
RoomId needRoom(const Call& call) { return RoomId{need(call, "roomId", 1, kIdEnd - 1)}; }

}  // namespace

void InternalRoutes::addTo(http::Router& router) {
  const auto add = [&](Method method, const char* path, auto handler) {
    router.add({method, path, Access::nodes(),
                [this, handler](Call& call) { return (this->*handler)(call); }, http::Signing::none,
                http::kBatchBodyLimit, "audience"});
  };
  add(Method::post, "/internal/v1/audience/lane-sums", &InternalRoutes::laneSums);
  add(Method::get, "/internal/v1/audience/session-sums/{session}", &InternalRoutes::sessionSum);
  add(Method::get, "/internal/v1/audience/session-tops/{session}", &InternalRoutes::sessionTop);
  add(Method::post, "/internal/v1/audience/tag-use", &InternalRoutes::tagUse);
  add(Method::post, "/internal/v1/audience/viewer-facts", &InternalRoutes::viewerFacts);
}

Task<ResponsePtr> InternalRoutes::laneSums(Call& call) {
  const auto asked = call.body<wire::LaneSumsRequest>();
  std::map<LaneId, LaneSeq> cursors;
  for (const auto& cursor : asked.cursors.items) {
    cursors[LaneId{cursor.lane.value}] = LaneSeq{cursor.seq.value};
  }
  const auto sums = co_await audience_.laneSums(std::move(cursors));
  co_return http::ok(wire::toWire(sums));
}

Task<ResponsePtr> InternalRoutes::sessionSum(Call& call) {
  const auto session = call.pathId<SessionId>(0, ErrorCode::route_not_found);
  const auto room = needRoom(call);
  const auto from = needTime(call, "from");
  const auto until = needTime(call, "until");
  const auto sum = co_await audience_.sessionSum(room, session, from, until);
  co_return http::ok(wire::toWire(sum));
}

Task<ResponsePtr> InternalRoutes::sessionTop(Call& call) {
  const auto session = call.pathId<SessionId>(0, ErrorCode::route_not_found);
  const auto room = needRoom(call);
  const auto openedAt = needTime(call, "openedAt");
  const auto limit = static_cast<int>(need(call, "limit", 1, kMostPlaces));
  const bool asOperator = need(call, "asOperator", 0, 1) == 1;
  const auto board = co_await audience_.sessionTop(room, session, openedAt, limit, asOperator);
  co_return http::ok(wire::toWire(board));
}

Task<ResponsePtr> InternalRoutes::tagUse(Call& call) {
  const auto asked = call.body<wire::TagUseRequest>();
  std::optional<std::string> part;
  if (asked.part) part = asked.part->value;
  std::string after = asked.after.value;
  const auto limit = static_cast<int>(asked.limit.value);
  const auto tags = co_await audience_.tagUse(std::move(part), std::move(after), limit);
  co_return http::ok(wire::toWire(tags));
}

Task<ResponsePtr> InternalRoutes::viewerFacts(Call& call) {
  const auto asked = call.body<wire::ViewersRequest>();
  std::vector<ViewerId> viewers;
  for (const auto& id : asked.viewers.items) viewers.emplace_back(id.value);
  const auto facts = co_await audience_.viewerFacts(std::move(viewers));
  co_return http::ok(wire::toWire(facts));
}

}  // namespace tipflow::audience
