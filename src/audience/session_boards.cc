#include "audience/session_boards.h"

#include <algorithm>

#include "audience/model.h"
#include "audience/session_store.h"

namespace tipflow::audience {
namespace {

constexpr std::size_t kTipsAtOnce = 10'000;
// The clocks of the nodes that open rooms and that take tips differ by less; and no tip that was
// checked against the session before commits later than this after the new one opened.
constexpr Duration kClockMargin{60 * kUsPerSecond};

}  // namespace

drogon::Task<SessionBoard> SessionBoards::top(RoomId room, SessionId session, Time openedAt,
                                              int limit, bool asOperator) {
  SessionBoard board;
  std::vector<BoardPlace> places;
  {
    auto waiting = working_.take();
    const auto turn = co_await waiting;
    const auto found = ready_.find(session);
    if (found == ready_.end() || clock_.now() - found->second.asOf >= kFresh) {
      const Asked asked{room, session, openedAt};
      co_await db1_.read([&](db::Connection& connection) { workOut(connection, asked); });
    }
    const auto& ready = ready_.at(session);
    board.sum = ready.sum;
    board.asOf = ready.asOf;
    places = ready.places;
  }
  if (!showsBoard(policy_, asOperator)) co_return board;
  places.resize(std::min(places.size(), static_cast<std::size_t>(limit)));
  std::vector<ViewerId> ids;
  for (const auto& place : places) ids.push_back(place.viewerId);
  const auto cards = co_await viewers_.cards(std::move(ids));
  for (auto& place : places) {
    const auto card = cards.find(place.viewerId);
    place.name = card != cards.end() ? card->second.name : guestName(place.viewerId);
  }
  hideNames(policy_, asOperator, places);
  board.top = std::move(places);
  co_return board;
}

void SessionBoards::workOut(db::Connection& connection, const Asked& asked) {
  const Time now = clock_.now();
  connection.beginSnapshot();
  try {
    if (now - followedAt_ > kIdle) {
      startOver(connection);
    } else {
      follow(connection);
    }
    if (!tally_.counts(asked.session)) {
      const Time opened = asked.openedAt != Time{}
                              ? asked.openedAt
                              : store::lastOfOthers(connection, asked.room, asked.session);
      const auto given =
          store::givenIn(connection, asked.room, asked.session, opened - kClockMargin);
      tally_.begin(asked.session, given, now);
    }
    connection.commit();
  } catch (...) {
    connection.rollback();
    throw;
  }
  followedAt_ = now;
  auto places = tally_.top(asked.session, kMostPlaces, now);
  ready_[asked.session] = {tally_.sum(asked.session), std::move(places), now};
  tally_.dropUnasked(now - kIdle);
  std::erase_if(ready_, [&](const auto& item) { return !tally_.counts(item.first); });
}

void SessionBoards::follow(db::Connection& connection) {
  for (const auto& [lane, settled] : store::laneStandings(connection)) {
    if (ended_.contains(lane)) continue;
    followLane(connection, lane);
    if (settled) ended_.insert(lane);
  }
}

void SessionBoards::followLane(db::Connection& connection, LaneId lane) {
  for (bool more = true; more;) {
    const auto before = tally_.mark(lane);
    const auto tips = store::laneTips(connection, lane, before, kTipsAtOnce);
    tally_.take(lane, tips);
    more = tips.size() == kTipsAtOnce && tally_.mark(lane) > before;
  }
}

void SessionBoards::startOver(db::Connection& connection) {
  tally_.clear();
  ready_.clear();
  ended_.clear();
  for (const auto& [lane, settled] : store::laneStandings(connection)) {
    if (settled) {
      ended_.insert(lane);
    } else {
      tally_.setMark(lane, store::lastSeq(connection, lane));
    }
  }
}

}  // namespace tipflow::audience
