// Boards of sessions on both databases, against plain sums over the tips.
#include "audience/session_store.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <random>

#include "audience/session_boards.h"
#include "store/database.h"

namespace tipflow::audience {
namespace {

using fixture::number;
using fixture::rows;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Time kNow{1'770'000'000'123'456};
constexpr RoomId kRoom{1'000'001};
constexpr SessionId kSession{5};
constexpr SessionId kOther{6};

class SessionBoardsOfDb1 : public ::testing::TestWithParam<fixture::Engine> {
 protected:
  LaneId openLane() { return store::openLane(*c, "node", "process", Duration{kUsPerSecond}); }

  void give(LaneId lane, SessionId session, std::int64_t viewer, std::int64_t amount,
            RoomId room = kRoom) {
    NumberedTip tip;
    tip.id = tipIdOf(lane, LaneSeq{++last[lane]});
    tip.acceptedAt = clock.now();
    tip.tip.traceId = TraceId::make(clock.now(), random);
    tip.tip.viewer = ViewerId{viewer};
    tip.tip.room = room;
    tip.tip.anchor = AnchorId{1};
    tip.tip.session = session;
    tip.tip.amount = Fen{amount};
    store::insertTips(*c, {&tip, 1});
  }
  SessionBoard top(SessionId session, int limit = 10, bool asOperator = false) {
    return drogon::sync_wait(boards.top(kRoom, session, kNow, limit, asOperator));
  }
  /// As an auditor would have it.
  std::vector<std::string> summedUp(SessionId session) {
    return rows(*c, {"viewer_id", "SUM(amount)"},
                fmt::format("tip WHERE session_id = {} GROUP BY viewer_id ORDER BY SUM(amount) "
                            "DESC, viewer_id LIMIT 10",
                            session.value));
  }
  static std::vector<std::string> shown(const SessionBoard& board) {
    std::vector<std::string> out;
    for (const auto& place : *board.top) {
      out.push_back(fmt::format("{}|{}", place.viewerId.value, place.amount.value));
    }
    return out;
  }
  void expectExact(SessionId session) {
    const auto board = top(session);
    EXPECT_EQ(shown(board), summedUp(session));
    const auto where = fmt::format(" FROM tip WHERE session_id = {}", session.value);
    EXPECT_EQ(board.sum.tips, number(*c, "SELECT COUNT(*)" + where));
    EXPECT_EQ(board.sum.amount.value, number(*c, "SELECT COALESCE(SUM(amount), 0)" + where));
  }

  fixture::TestDatabase database{GetParam(), "db1"};
  std::unique_ptr<db::Connection> c = database.connect();
  ManualClock clock{kNow};
  crypto::SystemRandom random;
  std::map<LaneId, std::int64_t> last;
  LocalBus bus;
  db::Database db{"DB1", database.url(), {2, 100}};
  ViewerDirectory viewers{db, bus};
  SessionBoards boards{db, viewers, LeaderboardPolicy::everyone, clock};
};
TIPFLOW_ON_BOTH(SessionBoardsOfDb1);

TEST_P(SessionBoardsOfDb1, are_empty_before_the_first_tip) {
  const auto board = top(kSession);
  EXPECT_THAT(*board.top, IsEmpty());
  EXPECT_EQ(board.sum.tips, 0);
  EXPECT_EQ(board.asOf, kNow);
}

TEST_P(SessionBoardsOfDb1, name_viewers_and_let_equal_amounts_share_a_rank) {
  const auto lane = openLane();
  c->exec(
      "INSERT INTO viewer (id, kind, login_name, gender, region, state, created_at) "
      "VALUES (7, 1, 'Mika', 1, '', 1, 0)");
  give(lane, kSession, 9, 300);
  give(lane, kSession, 7, 300);
  give(lane, kSession, 8, 10);
  std::vector<std::string> places;
  const auto board = top(kSession);
  for (const auto& place : *board.top) {
    places.push_back(fmt::format("{} {} {}", place.rank, place.name, place.amount.value));
  }
  EXPECT_THAT(places, ElementsAre("1 Mika 300", "1 游客-9 300", "3 游客-8 10"));
}

TEST_P(SessionBoardsOfDb1, stay_exact_while_many_lanes_come_and_go) {
  std::mt19937 chance(20'260'314);
  const auto upTo = [&](std::int64_t most) {
    return std::uniform_int_distribution<std::int64_t>(1, most)(chance);
  };
  std::vector<LaneId> lanes{openLane()};
  for (int round = 0; round < 25; ++round) {
    for (int i = 0; i < 20; ++i) {
      const auto lane = lanes[static_cast<std::size_t>(upTo(std::ssize(lanes)) - 1)];
      give(lane, upTo(3) == 1 ? kOther : kSession, upTo(15), upTo(9'999));
    }
    if (round % 4 == 0) lanes.push_back(openLane());
    if (round % 6 == 5) {
      // One that was closed and settled whole between two looks.
      store::setLaneState(*c, lanes.front(), store::LaneState::settled,
                          LaneSeq{last[lanes.front()]});
      lanes.erase(lanes.begin());
    }
    clock.advance(SessionBoards::kFresh);
    expectExact(kSession);
    if (round > 10) expectExact(kOther);
  }
}

TEST_P(SessionBoardsOfDb1, count_a_lane_that_came_and_went_between_two_looks) {
  (void)top(kSession);
  const auto lane = openLane();
  give(lane, kSession, 1, 100);
  store::setLaneState(*c, lane, store::LaneState::settled, LaneSeq{1});
  clock.advance(SessionBoards::kFresh);
  expectExact(kSession);
}

TEST_P(SessionBoardsOfDb1, are_read_anew_when_nobody_asked_for_long) {
  const auto lane = openLane();
  give(lane, kSession, 1, 100);
  expectExact(kSession);
  give(lane, kSession, 2, 50);
  clock.advance(SessionBoards::kIdle + Duration{1});
  give(lane, kSession, 1, 7);
  expectExact(kSession);
}

TEST_P(SessionBoardsOfDb1, are_a_second_old_at_most) {
  const auto lane = openLane();
  give(lane, kSession, 1, 100);
  EXPECT_EQ(top(kSession).sum.amount, Fen{100});
  give(lane, kSession, 1, 1);
  clock.advance(SessionBoards::kFresh - Duration{1});
  EXPECT_EQ(top(kSession).sum.amount, Fen{100});
  EXPECT_EQ(top(kSession).asOf, kNow);
  clock.advance(Duration{1});
  EXPECT_EQ(top(kSession).sum.amount, Fen{101});
}

TEST_P(SessionBoardsOfDb1, begin_with_tips_whose_node_has_a_clock_behind) {
  const auto lane = openLane();
  clock.set(kNow - Duration{kUsPerSecond});
  give(lane, kSession, 1, 100);
  clock.set(kNow);
  expectExact(kSession);
}

TEST_P(SessionBoardsOfDb1, begin_where_the_last_session_ended_when_nobody_says_when_they_opened) {
  const auto lane = openLane();
  give(lane, kOther, 1, 5);
  clock.advance(SessionBoards::kIdle);
  give(lane, kOther, 1, 5);
  give(lane, kSession, 2, 100);
  give(lane, kOther, 1, 5);  // it was checked before the room was opened again
  clock.advance(SessionBoards::kIdle);
  give(lane, kSession, 3, 50);
  give(lane, SessionId{99}, 3, 50, RoomId{7});
  const auto board = drogon::sync_wait(boards.top(kRoom, kSession, Time{}, 10, false));
  EXPECT_THAT(shown(board), ElementsAre("2|100", "3|50"));
}

TEST_P(SessionBoardsOfDb1, show_names_as_the_policy_has_it) {
  const auto lane = openLane();
  give(lane, kSession, 9, 300);
  SessionBoards masked{db, viewers, LeaderboardPolicy::masked, clock};
  const auto ask = [&](SessionBoards& some, bool asOperator) {
    return drogon::sync_wait(some.top(kRoom, kSession, kNow, 10, asOperator));
  };
  EXPECT_EQ(ask(masked, false).top->front().name, "游***");
  EXPECT_EQ(ask(masked, false).top->front().viewerId, ViewerId{0});
  EXPECT_EQ(ask(masked, true).top->front().name, "游客-9");
  SessionBoards hidden{db, viewers, LeaderboardPolicy::operators, clock};
  EXPECT_FALSE(ask(hidden, false).top);
  EXPECT_EQ(ask(hidden, false).sum.amount, Fen{300});
  EXPECT_EQ(ask(hidden, true).top->front().name, "游客-9");
}

TEST_P(SessionBoardsOfDb1, answer_many_who_ask_at_once_alike) {
  const auto lane = openLane();
  for (int i = 1; i <= 50; ++i) give(lane, i % 2 == 0 ? kSession : kOther, i, i);
  std::atomic<int> wrong = 0;
  fixture::atOnce(8, [&](int i) {
    for (int k = 0; k < 20; ++k) {
      const auto board = top(i % 2 == 0 ? kSession : kOther);
      if (board.sum.tips != 25) ++wrong;
    }
  });
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace tipflow::audience
