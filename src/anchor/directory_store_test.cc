// The directory of rooms on both databases: what it knows at the start, and how copies of it stay
// alike.
#include "anchor/directory.h"

#include <gmock/gmock.h>

#include "anchor/moderation_store.h"
#include "store/database.h"

namespace tipflow::anchor {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Time kNow{1'770'000'000'123'456};
constexpr Duration kSecond{kUsPerSecond};
constexpr Duration kTick{1};
constexpr ViewerId kViewer{9};

/// A node's copy, and its way to the database.
struct Copy {
  Copy(const db::Url& url, Bus& bus, const Clock& clock)
      : db("DB1", url, {2, 100}), directory(db, bus, clock) {
    directory.load();
  }
  db::Database db;
  Directory directory;
};

class DirectoryOfRooms : public ::testing::TestWithParam<fixture::Engine> {
 protected:
  RoomId addRoom(const std::string& name, std::vector<std::string> tags) {
    store::NewAnchor anchor;
    anchor.name = name;
    anchor.tags = std::move(tags);
    anchor.createdAt = kNow;
    const auto id =
        db::transact(*c, [&](db::Connection& t) { return store::insertAnchor(t, anchor); });
    return store::anchor(*c, id)->roomId;
  }
  void kick(RoomId room, Time until) {
    Restraint restraint;
    restraint.roomId = room;
    restraint.viewerId = kViewer;
    restraint.until = until;
    restraint.createdAt = kNow;
    db::transact(*c,
                 [&](db::Connection& t) { store::restrain(t, RestraintKind::kick, restraint); });
  }

  /// From a thread without an event loop, as a bus between nodes has it: that of the tests' own has
  /// one that does not run.
  void tell(const char* topic, std::string_view message) {
    fixture::atOnce(1, [&](int) { bus.publish(topic, message); });
  }

  fixture::TestDatabase database{GetParam(), "db1"};
  std::unique_ptr<db::Connection> c = database.connect();
  ManualClock clock{kNow};
  LocalBus bus;
};
TIPFLOW_ON_BOTH(DirectoryOfRooms);

TEST_P(DirectoryOfRooms, knows_rooms_tags_and_restraints_from_its_start) {
  const auto room = addRoom("Ann", {"pop", "late"});
  kick(room, kNow + kSecond);
  const Copy copy(database.url(), bus, clock);
  EXPECT_EQ(copy.directory.room(room)->state, RoomState::off);
  EXPECT_THAT(copy.directory.roomTags(room), ElementsAre("pop", "late"));
  EXPECT_THAT(copy.directory.roomTags(RoomId{1}), IsEmpty());
  EXPECT_EQ(copy.directory.kickedUntil(room, kViewer), kNow + kSecond);
  EXPECT_EQ(copy.directory.mutedUntil(room, kViewer), std::nullopt);
}

TEST_P(DirectoryOfRooms, frees_a_viewer_at_the_instant_the_kick_is_over) {
  const auto room = addRoom("Ann", {});
  kick(room, kNow + kSecond);
  const Copy copy(database.url(), bus, clock);
  clock.advance(kSecond - kTick);
  EXPECT_TRUE(copy.directory.kickedUntil(room, kViewer));
  clock.advance(kTick);
  EXPECT_FALSE(copy.directory.kickedUntil(room, kViewer));
}

TEST_P(DirectoryOfRooms, shows_a_room_as_off_from_the_instant_its_ban_is_over) {
  const auto room = addRoom("Ann", {});
  db::transact(*c, [&](db::Connection& t) {
    return store::banRoom(t, room, {"noise", kNow + kSecond}, kNow);
  });
  const Copy copy(database.url(), bus, clock);
  clock.advance(kSecond - kTick);
  EXPECT_EQ(copy.directory.room(room)->state, RoomState::banned);
  clock.advance(kTick);
  EXPECT_EQ(copy.directory.room(room)->state, RoomState::off);
}

TEST_P(DirectoryOfRooms, learns_from_the_bus_what_another_copy_changed) {
  const auto room = addRoom("Ann", {"pop"});
  Copy one(database.url(), bus, clock);
  const Copy other(database.url(), bus, clock);
  kick(room, kNow + kSecond);
  drogon::sync_wait(one.directory.restrained(room, kViewer));
  EXPECT_EQ(one.directory.kickedUntil(room, kViewer), kNow + kSecond);
  // At once: the news holds the whole of it.
  EXPECT_EQ(other.directory.kickedUntil(room, kViewer), kNow + kSecond);

  store::release(*c, RestraintKind::kick, room, kViewer);
  drogon::sync_wait(one.directory.restrained(room, kViewer));
  EXPECT_FALSE(one.directory.kickedUntil(room, kViewer));
  EXPECT_FALSE(other.directory.kickedUntil(room, kViewer));

  db::transact(*c, [&](db::Connection& t) { return store::openRoom(t, room, kNow); });
  drogon::sync_wait(one.directory.changed(room));
  EXPECT_TRUE(
      fixture::eventually([&] { return other.directory.room(room)->state == RoomState::live; }));
}

TEST_P(DirectoryOfRooms, believes_the_database_where_news_crossed) {
  const auto room = addRoom("Ann", {});
  const Copy copy(database.url(), bus, clock);
  // Of two changes at two nodes the older one's news comes last.
  tell(topic::kRoomModeration,
       fmt::format(R"({{"roomId":{},"viewerId":{},"kickedUntil":{},"mutedUntil":null}})",
                   room.value, kViewer.value, (kNow + kSecond).us));
  EXPECT_TRUE(fixture::eventually([&] { return !copy.directory.kickedUntil(room, kViewer); }));
}

TEST_P(DirectoryOfRooms, passes_by_news_that_is_none) {
  const auto room = addRoom("Ann", {});
  kick(room, kNow + kSecond);
  const Copy copy(database.url(), bus, clock);
  for (const char* message :
       {"", "{", "[]", "{}", R"({"roomId":1})", R"({"roomId":"1","viewerId":9})"}) {
    tell(topic::kRoomModeration, message);
    tell(topic::kRoomChanged, message);
  }
  EXPECT_EQ(copy.directory.kickedUntil(room, kViewer), kNow + kSecond);
}

TEST_P(DirectoryOfRooms, ends_with_the_last_state_however_many_change_a_room_at_once) {
  const auto room = addRoom("Ann", {});
  Copy copy(database.url(), bus, clock);
  for (int round = 0; round < 20; ++round) {
    fixture::atOnce(4, [&](int i) {
      const auto mine = database.connect();
      db::transact(*mine, [&](db::Connection& t) {
        return i % 2 == 0 ? store::openRoom(t, room, kNow) : store::closeRoom(t, room, kNow);
      });
      drogon::sync_wait(copy.directory.changed(room));
    });
    EXPECT_EQ(copy.directory.room(room)->state, store::room(*c, room)->state);
  }
}

}  // namespace
}  // namespace tipflow::anchor
