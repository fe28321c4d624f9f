#include "analysis/remote.h"

#include <fmt/format.h>

#include <algorithm>

#include "analysis/wire.h"
#include "platform/rpc/ask.h"

namespace tipflow::analysis {
namespace {

// It compares sums of all there ever was.
constexpr Duration kCompareDeadline{30 * kUsPerSecond};

rpc::Request get(std::string path) {
  rpc::Request request;
  request.path = std::move(path);
  return request;
}

Portrait fromWire(const wire::Portrait& told) {
  return {ViewerId{told.viewerId.value},
          Fen{told.total.value},
          told.tips.value,
          told.rank.value,
          told.viewers.value,
          told.tier,
          told.round.value,
          Time{told.updatedAt.value}};
}

}  // namespace

drogon::Task<std::optional<Portrait>> RemoteAnalysis::portrait(ViewerId viewer) {
  auto request = get(fmt::format("/internal/v1/analysis/portraits/{}", viewer.value));
  const auto reply = co_await rpc::ask<wire::PortraitReply>(caller_, std::move(request));
  if (!reply.portrait) co_return std::nullopt;
  co_return fromWire(*reply.portrait);
}

drogon::Task<std::map<ViewerId, Tier>> RemoteAnalysis::tiers(std::vector<ViewerId> viewers) {
  std::map<ViewerId, Tier> tiers;
  for (std::size_t begin = 0; begin < viewers.size(); begin += wire::kMostViewers) {
    const auto end = std::min(begin + wire::kMostViewers, viewers.size());
    wire::TiersRequest asked;
    for (std::size_t i = begin; i < end; ++i) asked.viewers.items.push_back({viewers[i].value});
    rpc::Request request{drogon::Post, "/internal/v1/analysis/tiers", json::toText(asked)};
    const auto reply = co_await rpc::ask<wire::TiersReply>(caller_, std::move(request));
    for (const auto& told : reply.tiers.items) tiers[ViewerId{told.viewerId.value}] = told.tier;
  }
  co_return tiers;
}

drogon::Task<std::optional<Time>> RemoteAnalysis::countedBy(TipId tip) {
  auto request = get(fmt::format("/internal/v1/analysis/counted/{}", tip.value));
  const auto reply = co_await rpc::ask<wire::CountedReply>(caller_, std::move(request));
  co_return reply.by ? std::optional(Time{reply.by->value}) : std::nullopt;
}

drogon::Task<> RemoteAnalysis::noteWatched(std::vector<Watched> watched) {
  for (std::size_t begin = 0; begin < watched.size(); begin += wire::kMostWatched) {
    const auto end = std::min(begin + wire::kMostWatched, watched.size());
    wire::WatchedRequest told;
    for (std::size_t i = begin; i < end; ++i) {
      const auto& one = watched[i];
      told.watched.items.push_back(
          {{one.viewerId.value}, {one.roomId.value}, {one.seconds}, {one.at.us}});
    }
    rpc::Request request{drogon::Post, "/internal/v1/analysis/watched", json::toText(told), false};
    (void)co_await rpc::ask<wire::Noted>(caller_, std::move(request));
  }
}

drogon::Task<std::int64_t> RemoteAnalysis::disagreement() {
  auto request = get("/internal/v1/analysis/disagreement");
  request.deadline = kCompareDeadline;
  const auto reply = co_await rpc::ask<wire::Disagreement>(caller_, std::move(request));
  co_return reply.by.value;
}

}  // namespace tipflow::analysis
