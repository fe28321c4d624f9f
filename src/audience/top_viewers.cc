#include "audience/top_viewers.h"

#include <fmt/format.h>

#include "audience/model.h"
#include "audience/top_viewer_store.h"

namespace tipflow::audience {
namespace {

// What one transaction counts. It holds no row that a tip's own transaction needs, but SQLite has
// one writer: tips wait for it there, a few milliseconds.
constexpr std::size_t kTipsAtOnce = 2'000;
// Every so many runs all lanes there ever were are looked at: the last statement of a killed
// process may have come after its lane was taken for settled.
constexpr int kLookAgainRuns = 30;

/// Whether a number is missing in the lane.
bool countLane(schedule::Run& run, LaneId lane) {
  store::Counted counted{.tips = 0, .more = true, .hole = false};
  while (counted.more && !run.shouldStop()) {
    counted = run.write([&](db::Connection& connection) {
      return store::countTips(connection, lane, kTipsAtOnce);
    });
    run.add(counted.tips);
  }
  return counted.hole;
}

}  // namespace

drogon::Task<Result<TopViewersBoard>> TopViewers::top(AnchorId anchor, int limit, bool asOperator) {
  if (!showsBoard(policy_, asOperator)) co_return ErrorCode::forbidden;
  if (anchors_ != nullptr && !anchors_->anchor(anchor)) co_return ErrorCode::anchor_not_found;
  TopViewersBoard board;
  auto work = [&](db::Connection& connection) {
    // In this order: what is read later holds at least what the instant promises.
    board.asOf = schedule::store::lastSuccess(connection, kTopViewersJob);
    return store::topViewers(connection, anchor, limit);
  };
  auto sums = co_await db1_.readAside(work);
  board.places = boardOf(std::move(sums), static_cast<std::size_t>(limit));
  std::vector<ViewerId> ids;
  for (const auto& place : board.places) ids.push_back(place.viewerId);
  const auto cards = co_await viewers_.cards(std::move(ids));
  for (auto& place : board.places) {
    const auto card = cards.find(place.viewerId);
    place.name = card != cards.end() ? card->second.name : guestName(place.viewerId);
  }
  hideNames(policy_, asOperator, board.places);
  co_return board;
}

void TopViewersJob::run(schedule::Run& run) {
  const bool all = runs_++ % kLookAgainRuns == 0;
  std::string holes;
  for (const auto& lane : store::lanesBehind(run.connection(), all)) {
    if (run.shouldStop()) return;
    if (countLane(run, lane.lane)) holes += fmt::format(" {}", lane.lane.value);
  }
  if (!holes.empty()) throw std::runtime_error("tips are missing in the lanes" + holes);
}

}  // namespace tipflow::audience
