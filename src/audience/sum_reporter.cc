#include "audience/sum_reporter.h"

#include "audience/finished_lane_store.h"
#include "platform/log.h"

namespace tipflow::audience {
namespace {

constexpr double kTickSeconds = 0.25;
constexpr int kTellAllTicks = 8;
constexpr int kForgetTicks = 240;

}  // namespace

void listenTo(Bus& bus, SessionSums& sums) {
  bus.subscribe(topic::kSessionSums, [&sums](std::string_view message) {
    try {
      sums.take(json::readBody<wire::SumsNews>(message));
    } catch (const BadRequest&) {
      log::warn("audience", "a message about sums of sessions cannot be read");
    }
  });
}

void SumReporter::start(trantor::EventLoop& loop) {
  bus_.onGap({topic::kSessionSums}, [this] { missed_ = true; });
  loop.runEvery(kTickSeconds, [this] { tick(); });
}

void SumReporter::tellAll() { bus_.publish(topic::kSessionSums, json::toText(sums_.news(true))); }

void SumReporter::tick() {
  ++ticks_;
  if (ticks_ % kForgetTicks == 0 && anchors_ != nullptr && anchors_->roomsKnown()) {
    std::set<SessionId> open;
    for (const auto& room : anchors_->liveRooms()) open.insert(room.session);
    sums_.forgetClosed(open);
  }
  if (missed_.exchange(false) || ticks_ % kTellAllTicks == 0) {
    tellAll();
  } else if (const auto changed = sums_.news(false); !changed.lanes.items.empty()) {
    bus_.publish(topic::kSessionSums, json::toText(changed));
  }
  const bool first = !sums_.finished();
  if (looking_ || (!first && ticks_ % kTellAllTicks != 1)) return;
  looking_ = true;
  drogon::async_run([this]() -> drogon::Task<> {
    try {
      co_await lookAtLanes();
    } catch (const std::exception& error) {
      log::warn("audience", "cannot sum up open sessions, trying again",
                log::field("error", std::string_view(error.what())));
    }
    looking_ = false;
  });
}

drogon::Task<> SumReporter::lookAtLanes() {
  if (anchors_ == nullptr || !anchors_->roomsKnown()) co_return;
  const auto known = sums_.finished();
  const bool recount = sums_.mustRecount();
  std::vector<LaneId> alive;
  if (recount) alive = sums_.ownLanes();
  const auto now = co_await db1_.read([&](db::Connection& connection) {
    return store::finishedLanes(connection, identity_.node, identity_.process, alive);
  });
  if (known && !recount && now.lanes.value <= known->lanes.value) co_return;
  const std::int64_t round = known ? known->round.value + (recount ? 1 : 0) : 0;
  co_await count(std::move(alive), round);
}

drogon::Task<> SumReporter::count(std::vector<LaneId> alive, std::int64_t round) {
  const auto live = anchors_->liveRooms();
  wire::SumsNews news;
  news.finished = co_await db1_.read([&](db::Connection& connection) {
    auto finished = store::finishedLanes(connection, identity_.node, identity_.process, alive);
    store::addSums(connection, live, finished);
    return finished;
  });
  news.finished->round = {round};
  sums_.take(news);
  bus_.publish(topic::kSessionSums, json::toText(news));
}

}  // namespace tipflow::audience
