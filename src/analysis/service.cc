#include "analysis/service.h"

#include "analysis/association_round.h"
#include "analysis/jobs.h"
#include "analysis/portrait_store.h"
#include "analysis/watching.h"

namespace tipflow::analysis {
namespace {

std::optional<Time> timeOrNull(Time time) {
  return time == Time{} ? std::nullopt : std::optional(time);
}

ShownRound shownRound(const store::Round& round) {
  ShownRound answer;
  answer.round = round.number;
  answer.startedAt = round.startedAt;
  answer.publishedAt = round.publishedAt;
  if (!round.publishedAt) return answer;
  if (round.cutoffAt) answer.cutoff = timeOrNull(*round.cutoffAt);
  answer.tips = round.tips;
  answer.viewers = round.viewers;
  answer.durationMs = (*round.publishedAt - round.startedAt).count() / kUsPerMs;
  return answer;
}

ShownTier shownTier(const TierSum& sum) {
  ShownTier answer{sum.tier, sum.viewers, sum.total, {}, {}};
  if (sum.viewers == 0) return answer;
  answer.least = sum.least;
  answer.most = sum.most;
  return answer;
}

}  // namespace

drogon::Task<std::optional<Portrait>> LocalAnalysis::portrait(ViewerId viewer) {
  co_return co_await db2_.read(
      [viewer](db::Connection& connection) { return store::portrait(connection, viewer); });
}

drogon::Task<std::map<ViewerId, Tier>> LocalAnalysis::tiers(std::vector<ViewerId> viewers) {
  co_return co_await db2_.read(
      [&](db::Connection& connection) { return store::tiers(connection, viewers); });
}

drogon::Task<std::optional<Time>> LocalAnalysis::countedBy(TipId tip) {
  co_return co_await db2_.read(
      [tip](db::Connection& connection) { return store::countedBy(connection, tip); });
}

drogon::Task<> LocalAnalysis::noteWatched(std::vector<Watched> watched) {
  co_await keepWatched(db2_, anchors_, std::move(watched));
}

drogon::Task<std::int64_t> LocalAnalysis::disagreement() {
  const auto figure = co_await db2_.read([](db::Connection& connection) {
    return db::inSnapshot(connection, [](db::Connection& c) { return store::disagreement(c); });
  });
  co_return figure.value_or(0);
}

drogon::Task<Result<ShownPortrait>> Service::portrait(ViewerId viewer, bool chinese) {
  const auto found = co_await db2_.read(
      [viewer](db::Connection& connection) { return store::portrait(connection, viewer); });
  std::vector<ViewerId> one{viewer};
  auto names = co_await names_.of(std::move(one));
  auto& facts = names[viewer];
  const bool ranked = found && found->tier != Tier::none;
  if (!ranked && facts.asked && !facts.known) co_return ErrorCode::viewer_not_found;
  auto answer = shown(viewer, found, chinese);
  answer.name = std::move(facts.name);
  answer.tags = std::move(facts.tags);
  co_return answer;
}

drogon::Task<Tiers> Service::tiers() {
  const auto [round, sums] = co_await db2_.readAside([](db::Connection& connection) {
    return db::inSnapshot(connection, [](db::Connection& c) {
      auto published = store::publishedRound(c);
      auto tiers = store::tierSums(c, published ? published->number : 0);
      return std::pair(std::move(published), std::move(tiers));
    });
  });
  Tiers answer;
  for (const auto& sum : sums) answer.items.push_back(shownTier(sum));
  if (!round) co_return answer;
  answer.round = round->number;
  answer.viewers = round->viewers;
  if (round->cutoffAt) answer.asOf = timeOrNull(*round->cutoffAt);
  co_return answer;
}

drogon::Task<http::Page<ShownRound>> Service::rounds(std::int64_t before, int limit) {
  const auto found = co_await db2_.readAside([before, limit](db::Connection& connection) {
    return store::rounds(connection, before, limit + 1);
  });
  http::Page<ShownRound> page;
  for (const auto& round : found) {
    if (static_cast<int>(page.items.size()) == limit) {
      page.nextPageToken = http::makePageToken({page.items.back().round});
      break;
    }
    page.items.push_back(shownRound(round));
  }
  co_return page;
}

drogon::Task<Result<AskedRound>> Service::askRound() {
  const auto asked =
      co_await db2_.write([](db::Connection& connection) -> std::optional<AskedRound> {
        AskedRound answer{connection.now(), {}};
        if (!schedule::store::ask(connection, kRoundJob)) return std::nullopt;
        schedule::store::ask(connection, kAssociationJob);
        if (const auto round = store::publishedRound(connection)) {
          answer.currentRound = round->number;
        }
        return answer;
      });
  if (!asked) co_return ErrorCode::role_unavailable;
  co_return *asked;
}

}  // namespace tipflow::analysis
