// Bans, kicks and mutes on both databases.
#include "anchor/moderation_store.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "store/database.h"

namespace tipflow::anchor::store {
namespace {

using fixture::number;
using fixture::rows;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr Time kNow{1'770'000'000'123'456};
constexpr Duration kTick{1};
constexpr Duration kSecond{kUsPerSecond};
const Ban kForGood{"sells what may not be sold", std::nullopt};

class ModerationStore : public ::testing::TestWithParam<fixture::Engine> {
 protected:
  RoomId addRoom(const std::string& name = "Ann") {
    NewAnchor anchor;
    anchor.name = name;
    anchor.createdAt = kNow;
    const auto id = db::transact(*c, [&](db::Connection& t) { return insertAnchor(t, anchor); });
    return store::anchor(*c, id)->roomId;
  }
  Transition open(RoomId id, Time at) {
    return db::transact(*c, [&](db::Connection& t) { return openRoom(t, id, at); });
  }
  Transition ban(RoomId id, const Ban& ban, Time at) {
    return db::transact(*c, [&](db::Connection& t) { return banRoom(t, id, ban, at); });
  }
  Transition lift(RoomId id) {
    return db::transact(*c, [&](db::Connection& t) { return liftBan(t, id); });
  }
  void put(RestraintKind kind, RoomId room, std::int64_t viewer, Time until, Time at = kNow,
           std::optional<std::string> reason = std::nullopt) {
    Restraint restraint;
    restraint.roomId = room;
    restraint.viewerId = ViewerId{viewer};
    restraint.until = until;
    restraint.reason = std::move(reason);
    restraint.by = PrincipalKind::operator_;
    restraint.byId = 3;
    restraint.createdAt = at;
    db::transact(*c, [&](db::Connection& t) { restrain(t, kind, restraint); });
  }
  std::vector<std::int64_t> listed(RestraintKind kind, RoomId room, Time now) {
    std::vector<std::int64_t> viewers;
    std::optional<RestraintPlace> after;
    for (;;) {
      const auto page = restraints(*c, kind, room, now, after, 2);
      for (const auto& one : page) viewers.push_back(one.viewerId.value);
      if (page.size() < 2) return viewers;
      after = {page.back().createdAt, page.back().viewerId};
    }
  }
  std::vector<std::string> roomRow(RoomId id) {
    return rows(*c, {"state", "session_id", "banned_until", "ban_reason"},
                fmt::format("room WHERE id = {}", id.value));
  }

  fixture::TestDatabase database{GetParam(), "db1"};
  std::unique_ptr<db::Connection> c = database.connect();
};
TIPFLOW_ON_BOTH(ModerationStore);

TEST_P(ModerationStore, ends_the_session_of_a_room_it_bans) {
  const auto id = addRoom();
  open(id, kNow);
  EXPECT_EQ(ban(id, {"noise", kNow + 9 * kSecond}, kNow + kSecond), Transition::done);
  EXPECT_THAT(roomRow(id), ElementsAre(fmt::format("2|NULL|{}|noise", (kNow + 9 * kSecond).us)));
  EXPECT_THAT(rows(*c, {"closed_at"}, "room_session"),
              ElementsAre(std::to_string((kNow + kSecond).us)));
  const auto shown = room(*c, id);
  EXPECT_EQ(shown->state, RoomState::banned);
  EXPECT_EQ(shown->ban->reason, "noise");
  EXPECT_EQ(shown->ban->until, kNow + 9 * kSecond);
}

TEST_P(ModerationStore, gives_a_banned_room_the_new_reason_and_end) {
  const auto id = addRoom();
  EXPECT_EQ(ban(id, kForGood, kNow), Transition::already);
  EXPECT_EQ(ban(id, {"noise", kNow + kSecond}, kNow), Transition::already);
  EXPECT_THAT(roomRow(id), ElementsAre(fmt::format("2|NULL|{}|noise", (kNow + kSecond).us)));
  EXPECT_EQ(ban(RoomId{1}, kForGood, kNow), Transition::notFound);
}

TEST_P(ModerationStore, keeps_a_banned_room_shut_until_the_instant_its_ban_is_over) {
  const auto id = addRoom();
  ban(id, {"noise", kNow + kSecond}, kNow);
  EXPECT_EQ(open(id, kNow + kSecond - kTick), Transition::banned);
  EXPECT_EQ(number(*c, "SELECT COUNT(*) FROM room_session"), 0);
  EXPECT_EQ(open(id, kNow + kSecond), Transition::done);
  EXPECT_THAT(rows(*c, {"state", "banned_until", "ban_reason"}, "room"),
              ElementsAre("1|NULL|NULL"));
  EXPECT_FALSE(room(*c, id)->ban);
}

TEST_P(ModerationStore, never_opens_a_room_that_is_banned_for_good_until_that_is_lifted) {
  const auto id = addRoom();
  ban(id, kForGood, kNow);
  EXPECT_EQ(open(id, kNow + Duration{100 * 365 * kUsPerDay}), Transition::banned);
  EXPECT_EQ(lift(id), Transition::done);
  EXPECT_EQ(lift(id), Transition::already);
  EXPECT_EQ(lift(RoomId{1}), Transition::notFound);
  EXPECT_EQ(open(id, kNow), Transition::done);
  EXPECT_EQ(lift(id), Transition::already);
  EXPECT_EQ(room(*c, id)->state, RoomState::live);
}

TEST_P(ModerationStore, lists_a_room_whose_ban_is_over_as_off) {
  const auto ann = addRoom("Ann");
  const auto bob = addRoom("Bob");
  ban(ann, {"noise", kNow + kSecond}, kNow);
  ban(bob, kForGood, kNow);
  const auto names = [&](RoomState state, Time now) {
    RoomFilter filter;
    filter.state = state;
    filter.now = now;
    std::vector<std::string> found;
    for (const auto& one : rooms(*c, filter, kIdEnd, 10)) found.push_back(one.anchorName);
    return found;
  };
  EXPECT_THAT(names(RoomState::banned, kNow + kSecond - kTick), ElementsAre("Bob", "Ann"));
  EXPECT_THAT(names(RoomState::off, kNow + kSecond - kTick), IsEmpty());
  EXPECT_THAT(names(RoomState::banned, kNow + kSecond), ElementsAre("Bob"));
  EXPECT_THAT(names(RoomState::off, kNow + kSecond), ElementsAre("Ann"));
}

TEST_P(ModerationStore, leaves_no_session_running_whoever_opens_closes_and_bans_at_once) {
  const auto id = addRoom();
  for (int round = 0; round < 10; ++round) {
    fixture::atOnce(6, [&](int i) {
      const auto mine = database.connect();
      db::transact(*mine, [&](db::Connection& t) {
        if (i % 3 == 0) return openRoom(t, id, kNow);
        if (i % 3 == 1) return closeRoom(t, id, kNow + kSecond);
        return banRoom(t, id, kForGood, kNow + kSecond);
      });
    });
    EXPECT_EQ(room(*c, id)->state, RoomState::banned);
    EXPECT_EQ(room(*c, id)->sessionId, std::nullopt);
    EXPECT_EQ(number(*c, "SELECT COUNT(*) FROM room_session WHERE closed_at IS NULL"), 0);
    lift(id);
  }
}

TEST_P(ModerationStore, starts_one_session_for_eight_who_open_at_once) {
  const auto id = addRoom();
  std::atomic<int> done = 0;
  fixture::atOnce(8, [&](int) {
    const auto mine = database.connect();
    const auto outcome =
        db::transact(*mine, [&](db::Connection& t) { return openRoom(t, id, kNow); });
    if (outcome == Transition::done) ++done;
  });
  EXPECT_EQ(done, 1);
  EXPECT_EQ(number(*c, "SELECT COUNT(*) FROM room_session"), 1);
}

TEST_P(ModerationStore, keeps_who_watched_the_session_that_ended_and_no_other) {
  const auto id = addRoom();
  open(id, kNow);
  const auto session = *room(*c, id)->sessionId;
  const auto end = [&](const Attendance& watched) {
    return db::transact(*c, [&](db::Connection& t) {
      return ending(t, id, watched, [&] { return closeRoom(t, id, kNow + kSecond); });
    });
  };
  EXPECT_EQ(end({session, 31, 52, 8}), Transition::done);
  EXPECT_EQ(end({session, 0, 0, 0}), Transition::already);
  const auto kept = store::session(*c, session);
  EXPECT_EQ(kept->peakViewers, 31);
  EXPECT_EQ(kept->joins, 52);
  EXPECT_EQ(kept->chats, 8);
  open(id, kNow + 2 * kSecond);
  const auto all = sessions(*c, id, kIdEnd, 10);
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all.front().session.peakViewers, std::nullopt);
  EXPECT_EQ(all.back().session.chats, 8);
  // Nobody came to it: what is known is of the one before.
  EXPECT_EQ(end({session, 31, 52, 8}), Transition::done);
  EXPECT_EQ(sessions(*c, id, kIdEnd, 10).front().session.joins, 0);
  EXPECT_EQ(sessions(*c, id, kIdEnd, 10).front().session.peakViewers, 0);
}

TEST_P(ModerationStore, keeps_one_kick_and_one_mute_of_a_viewer_in_a_room) {
  const auto id = addRoom();
  put(RestraintKind::kick, id, 9, kNow + kSecond, kNow, "shouts 🎤");
  put(RestraintKind::kick, id, 9, kNow + 2 * kSecond, kNow + kTick);
  put(RestraintKind::mute, id, 9, kNow + 3 * kSecond);
  EXPECT_EQ(number(*c, "SELECT COUNT(*) FROM room_kick"), 1);
  const auto kick = restraint(*c, RestraintKind::kick, id, ViewerId{9});
  EXPECT_EQ(kick->until, kNow + 2 * kSecond);
  EXPECT_EQ(kick->reason, std::nullopt);
  EXPECT_EQ(kick->by, PrincipalKind::operator_);
  EXPECT_EQ(kick->byId, 3);
  const RestraintState both{kNow + 2 * kSecond, kNow + 3 * kSecond};
  EXPECT_EQ(restraint(*c, id, ViewerId{9}), both);
  EXPECT_TRUE(release(*c, RestraintKind::kick, id, ViewerId{9}));
  EXPECT_FALSE(release(*c, RestraintKind::kick, id, ViewerId{9}));
  const RestraintState muted{std::nullopt, kNow + 3 * kSecond};
  EXPECT_EQ(restraint(*c, id, ViewerId{9}), muted);
  EXPECT_EQ(restraint(*c, RoomId{1}, ViewerId{9}), RestraintState{});
}

TEST_P(ModerationStore, lists_what_holds_newest_first) {
  const auto id = addRoom();
  const auto other = addRoom("Bob");
  put(RestraintKind::mute, id, 1, kNow + kSecond, kNow);
  put(RestraintKind::mute, id, 2, kNow + 9 * kSecond, kNow);
  put(RestraintKind::mute, id, 3, kNow + 9 * kSecond, kNow);
  put(RestraintKind::mute, id, 4, kNow + 9 * kSecond, kNow - kTick);
  put(RestraintKind::mute, id, 5, kNow + 9 * kSecond, kNow + kTick);
  put(RestraintKind::mute, other, 6, kNow + 9 * kSecond, kNow);
  put(RestraintKind::kick, id, 7, kNow + 9 * kSecond, kNow);
  EXPECT_THAT(listed(RestraintKind::mute, id, kNow), ElementsAre(5, 3, 2, 1, 4));
  EXPECT_THAT(listed(RestraintKind::mute, id, kNow + kSecond), ElementsAre(5, 3, 2, 4));
  EXPECT_THAT(listed(RestraintKind::kick, id, kNow), ElementsAre(7));
}

TEST_P(ModerationStore, gives_the_directory_what_holds) {
  const auto id = addRoom();
  put(RestraintKind::kick, id, 1, kNow + kSecond);
  put(RestraintKind::mute, id, 1, kNow + 2 * kSecond);
  put(RestraintKind::mute, id, 2, kNow);
  std::vector<std::string> found;
  for (const auto& [room, viewer, state] : restraints(*c, kNow)) {
    found.push_back(fmt::format("{} {} {}", viewer.value, state.kickedUntil.has_value(),
                                state.mutedUntil.has_value()));
    EXPECT_EQ(room, id);
  }
  EXPECT_THAT(found, UnorderedElementsAre("1 true true"));
}

TEST_P(ModerationStore, drops_what_has_long_been_over_a_little_at_a_time) {
  const auto id = addRoom();
  for (int i = 1; i <= 5; ++i) put(RestraintKind::kick, id, i, kNow);
  put(RestraintKind::kick, id, 6, kNow + kTick);
  put(RestraintKind::mute, id, 7, kNow);
  const auto drop = [&] {
    return db::transact(*c, [&](db::Connection& t) { return dropRestraints(t, kNow + kTick, 3); });
  };
  EXPECT_EQ(drop(), 4);
  EXPECT_EQ(drop(), 2);
  EXPECT_EQ(drop(), 0);
  EXPECT_THAT(rows(*c, {"viewer_id"}, "room_kick"), ElementsAre("6"));
}

}  // namespace
}  // namespace tipflow::anchor::store
