#include "audience/remote.h"

#include <fmt/format.h>

#include "audience/wire.h"
#include "platform/rpc/ask.h"

namespace tipflow::audience {
namespace {

// Lanes whose sums were not sealed yet are added up row by row.
constexpr Duration kSumsDeadline{30 * kUsPerSecond};

// All of them only read.
rpc::Request get(std::string path) {
  rpc::Request request;
  request.path = std::move(path);
  return request;
}
rpc::Request post(std::string path, std::string body) {
  return {drogon::Post, std::move(path), std::move(body)};
}

}  // namespace

drogon::Task<std::vector<LaneSum>> RemoteAudience::laneSums(std::map<LaneId, LaneSeq> cursors) {
  wire::LaneSumsRequest asked;
  for (const auto& [lane, seq] : cursors)
    asked.cursors.items.push_back({{lane.value}, {seq.value}});
  auto request = post("/internal/v1/audience/lane-sums", json::toText(asked));
  request.deadline = kSumsDeadline;
  const auto reply = co_await rpc::ask<wire::LaneSumsReply>(caller_, std::move(request));
  co_return wire::fromWire(reply);
}

drogon::Task<TipSum> RemoteAudience::sessionSum(RoomId room, SessionId session, Time from,
                                                Time until) {
  auto request = get(fmt::format("/internal/v1/audience/session-sums/{}?roomId={}&from={}&until={}",
                                 session.value, room.value, from.us, until.us));
  const auto sum = co_await rpc::ask<wire::Sum>(caller_, std::move(request));
  co_return wire::fromWire(sum);
}

drogon::Task<SessionBoard> RemoteAudience::sessionTop(RoomId room, SessionId session, Time openedAt,
                                                      int limit, bool asOperator) {
  auto request = get(fmt::format(
      "/internal/v1/audience/session-tops/{}?roomId={}&openedAt={}&limit={}&asOperator={}",
      session.value, room.value, openedAt.us, limit, asOperator ? 1 : 0));
  const auto board = co_await rpc::ask<wire::Board>(caller_, std::move(request));
  co_return wire::fromWire(board);
}

drogon::Task<std::vector<TagUse>> RemoteAudience::tagUse(std::optional<std::string> part,
                                                         std::string after, int limit) {
  wire::TagUseRequest asked{{}, {std::move(after)}, {limit}};
  if (part) asked.part = wire::Words{*std::move(part)};
  auto request = post("/internal/v1/audience/tag-use", json::toText(asked));
  const auto reply = co_await rpc::ask<wire::TagUseReply>(caller_, std::move(request));
  co_return wire::fromWire(reply);
}

drogon::Task<std::vector<ViewerFacts>> RemoteAudience::viewerFacts(std::vector<ViewerId> viewers) {
  if (viewers.size() > kFactsMost) throw std::invalid_argument("too many viewers at once");
  wire::ViewersRequest asked;
  for (const auto id : viewers) asked.viewers.items.push_back({id.value});
  auto request = post("/internal/v1/audience/viewer-facts", json::toText(asked));
  const auto reply = co_await rpc::ask<wire::FactsReply>(caller_, std::move(request));
  co_return wire::fromWire(reply);
}

}  // namespace tipflow::audience
