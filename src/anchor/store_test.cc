// The anchor role's tables on both databases: anchors, rooms, tags and sessions.
#include "anchor/store.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <functional>

#include "store/database.h"

namespace tipflow::anchor::store {
namespace {

using fixture::number;
using fixture::rows;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Time kNow{1'770'000'000'123'456};
constexpr std::int64_t kNoneBefore = kIdEnd;

Text<1, 32> word(std::string text) { return {std::move(text)}; }

TagList tagList(const std::vector<std::string>& tags) {
  TagList list;
  for (const auto& tag : tags) list.items.push_back(word(tag));
  return list;
}

class AnchorStore : public ::testing::TestWithParam<fixture::Engine> {
 protected:
  AnchorId add(const std::string& name, const std::string& category = "music",
               std::vector<std::string> tags = {}) {
    NewAnchor anchor;
    anchor.name = name;
    anchor.passwordHash = "hash of " + name;
    anchor.gender = Gender::female;
    anchor.age = 27;
    anchor.region = "上海";
    anchor.category = category;
    anchor.tags = std::move(tags);
    anchor.createdAt = kNow;
    return db::transact(*c, [&](db::Connection& t) { return insertAnchor(t, anchor); });
  }
  RoomId addRoom(const std::string& name, const std::string& category = "music",
                 std::vector<std::string> tags = {}) {
    return anchor(*c, add(name, category, std::move(tags)))->roomId;
  }
  bool change(AnchorId id, const ChangeAnchor& wanted,
              const std::optional<std::string>& hash = std::nullopt) {
    return db::transact(*c, [&](db::Connection& t) { return changeAnchor(t, id, wanted, hash); });
  }
  bool change(RoomId id, const ChangeRoom& wanted) {
    return db::transact(*c, [&](db::Connection& t) { return changeRoom(t, id, wanted); });
  }
  Transition open(RoomId id, Time at = kNow) {
    return db::transact(*c, [&](db::Connection& t) { return openRoom(t, id, at); });
  }
  Transition close(RoomId id, Time at) {
    return db::transact(*c, [&](db::Connection& t) { return closeRoom(t, id, at); });
  }
  std::vector<std::string> everything() {
    return fixture::dump(*c, {"anchor", "anchor_tag", "room", "room_tag", "room_session"});
  }
  /// Names of all rooms the filter lets through, read in pages of two.
  std::vector<std::string> roomsOf(const std::function<void(RoomFilter&)>& narrow) {
    RoomFilter filter;
    narrow(filter);
    std::vector<std::string> names;
    std::int64_t before = kNoneBefore;
    for (;;) {
      const auto page = rooms(*c, filter, before, 2);
      for (const auto& room : page) names.push_back(room.anchorName);
      if (page.size() < 2) return names;
      before = page.back().id.value;
    }
  }

  fixture::TestDatabase database{GetParam(), "db1"};
  std::unique_ptr<db::Connection> c = database.connect();
};
TIPFLOW_ON_BOTH(AnchorStore);

TEST_P(AnchorStore, registers_an_anchor_with_a_room_that_is_off) {
  const auto id = add("安娜 🎤", "music", {"singer", "night owl", "上海", "1"});
  const auto found = anchor(*c, id);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, id);
  EXPECT_EQ(found->name, "安娜 🎤");
  EXPECT_EQ(found->gender, Gender::female);
  EXPECT_EQ(found->age, 27);
  EXPECT_EQ(found->region, "上海");
  EXPECT_THAT(found->tags, ElementsAre("singer", "night owl", "上海", "1"));
  EXPECT_EQ(found->createdAt, kNow);
  EXPECT_EQ(found->shareBp, std::nullopt);

  const auto made = room(*c, found->roomId);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->id, found->roomId);
  EXPECT_NE(made->id.value, id.value);
  EXPECT_EQ(made->anchorId, id);
  EXPECT_EQ(made->anchorName, "安娜 🎤");
  EXPECT_EQ(made->title, "安娜 🎤");
  EXPECT_EQ(made->category, "music");
  EXPECT_THAT(made->tags, ElementsAre("singer", "night owl", "上海", "1"));
  EXPECT_EQ(made->state, RoomState::off);
  EXPECT_EQ(made->sessionId, std::nullopt);
}

TEST_P(AnchorStore, shows_what_was_not_given_as_absent) {
  NewAnchor bare;
  bare.name = "Bare";
  bare.createdAt = kNow;
  const auto id = db::transact(*c, [&](db::Connection& t) { return insertAnchor(t, bare); });
  const auto found = anchor(*c, id);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->region, std::nullopt);
  EXPECT_THAT(found->tags, IsEmpty());
  EXPECT_EQ(room(*c, found->roomId)->category, std::nullopt);
}

TEST_P(AnchorStore, has_each_name_once_and_keeps_nothing_of_a_second) {
  add("Ann", "music", {"a"});
  const auto before = everything();
  EXPECT_THROW(add("Ann", "games", {"b", "c"}), db::DuplicateKey);
  EXPECT_EQ(everything(), before);
  add("ann");
  add("Änn");
  EXPECT_EQ(number(*c, "SELECT COUNT(*) FROM anchor"), 3);
}

TEST_P(AnchorStore, gives_a_name_to_one_of_eight_who_ask_at_once) {
  std::atomic<int> made = 0;
  fixture::atOnce(8, [&](int) {
    const auto mine = database.connect();
    NewAnchor wanted;
    wanted.name = "Ann";
    wanted.tags = {"a", "b"};
    try {
      db::transact(*mine, [&](db::Connection& t) { return insertAnchor(t, wanted); });
      ++made;
    } catch (const db::DuplicateKey&) {
    }
  });
  EXPECT_EQ(made, 1);
  EXPECT_THAT(rows(*c, {"COUNT(*)"}, "anchor"), ElementsAre("1"));
  EXPECT_THAT(rows(*c, {"COUNT(*)"}, "room"), ElementsAre("1"));
  EXPECT_THAT(rows(*c, {"COUNT(*)"}, "room_tag"), ElementsAre("2"));
}

TEST_P(AnchorStore, finds_the_account_of_exactly_that_name) {
  const auto id = add("Ann");
  add("ann");
  const auto found = account(*c, "Ann");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, id.value);
  EXPECT_EQ(found->role, Role::anchor);
  EXPECT_EQ(found->passwordHash, "hash of Ann");
  EXPECT_FALSE(account(*c, "ANN"));
  EXPECT_FALSE(account(*c, "An"));
  EXPECT_FALSE(account(*c, "A%"));
  EXPECT_FALSE(account(*c, ""));
}

TEST_P(AnchorStore, does_not_know_who_was_never_registered) {
  const auto id = add("Ann");
  EXPECT_FALSE(anchor(*c, AnchorId{id.value + 1}));
  EXPECT_FALSE(anchor(*c, AnchorId{anchor(*c, id)->roomId.value}));
  EXPECT_FALSE(room(*c, RoomId{id.value}));
}

TEST_P(AnchorStore, changes_what_is_named_and_nothing_else) {
  const auto id = add("Ann", "music", {"a", "b"});
  const auto bob = add("Bob", "music", {"b", "c"});

  EXPECT_TRUE(change(id, {}));
  EXPECT_THAT(rows(*c, {"name", "password_hash", "gender", "age", "region"}, "anchor ORDER BY id"),
              ElementsAre("Ann|hash of Ann|2|27|上海", "Bob|hash of Bob|2|27|上海"));

  ChangeAnchor wanted;
  wanted.age = AnchorAge{30};
  EXPECT_TRUE(change(id, wanted));
  EXPECT_TRUE(change(id, wanted)) << "the same again";
  EXPECT_THAT(rows(*c, {"name", "password_hash", "gender", "age", "region"}, "anchor ORDER BY id"),
              ElementsAre("Ann|hash of Ann|2|30|上海", "Bob|hash of Bob|2|27|上海"));

  wanted = {};
  wanted.name = Name{"Anna's"};
  wanted.gender = Gender::unknown;
  wanted.region = Region{"北京"};
  wanted.category = Category{"games"};
  wanted.tags = tagList({"c", "a", "c"});
  EXPECT_TRUE(change(id, wanted, "new hash"));
  EXPECT_THAT(rows(*c, {"name", "password_hash", "gender", "age", "region"}, "anchor ORDER BY id"),
              ElementsAre("Anna's|new hash|0|30|北京", "Bob|hash of Bob|2|27|上海"));
  EXPECT_THAT(anchor(*c, id)->tags, ElementsAre("c", "a"));
  const auto own = room(*c, anchor(*c, id)->roomId);
  EXPECT_EQ(own->category, "games");
  EXPECT_EQ(own->anchorName, "Anna's");
  EXPECT_EQ(own->title, "Ann") << "a title is changed for itself";
  EXPECT_THAT(own->tags, ElementsAre("a", "b")) << "a room's tags are changed for themselves";
  EXPECT_THAT(anchor(*c, bob)->tags, ElementsAre("b", "c"));
}

TEST_P(AnchorStore, changes_nothing_at_all_when_the_new_name_is_taken) {
  const auto id = add("Ann", "music", {"a"});
  add("Bob");
  const auto before = everything();
  ChangeAnchor wanted;
  wanted.name = Name{"Bob"};
  wanted.age = AnchorAge{60};
  wanted.category = Category{"games"};
  wanted.tags = tagList({"z"});
  EXPECT_THROW(change(id, wanted), db::DuplicateKey);
  EXPECT_EQ(everything(), before);
}

TEST_P(AnchorStore, changes_nobody_when_there_is_no_such_anchor_or_room) {
  const auto id = add("Ann", "music", {"a"});
  const auto before = everything();
  ChangeAnchor anchorChange;
  anchorChange.age = AnchorAge{60};
  anchorChange.category = Category{"games"};
  anchorChange.tags = tagList({"z"});
  EXPECT_FALSE(change(AnchorId{id.value + 1}, anchorChange));
  ChangeRoom roomChange;
  roomChange.title = Title{"mine"};
  roomChange.tags = tagList({"z"});
  EXPECT_FALSE(change(RoomId{id.value}, roomChange));
  EXPECT_EQ(everything(), before);
}

TEST_P(AnchorStore, replaces_a_rooms_tags_as_a_whole_and_in_the_order_given) {
  const auto ann = addRoom("Ann", "music", {"x", "y"});
  const auto bob = addRoom("Bob", "music", {"x"});
  ChangeRoom wanted;
  wanted.tags = tagList({"zebra", "apple", "mango", "apple"});
  EXPECT_TRUE(change(ann, wanted));
  EXPECT_THAT(room(*c, ann)->tags, ElementsAre("zebra", "apple", "mango"));
  EXPECT_THAT(room(*c, bob)->tags, ElementsAre("x"));
  EXPECT_THAT(anchor(*c, room(*c, ann)->anchorId)->tags, ElementsAre("x", "y"));

  std::vector<std::string> twenty;
  for (int i = 20; i > 0; --i) twenty.push_back(fmt::format("tag {}", i));
  wanted.tags = tagList(twenty);
  EXPECT_TRUE(change(ann, wanted));
  EXPECT_EQ(room(*c, ann)->tags, twenty);

  wanted.tags = tagList({});
  EXPECT_TRUE(change(ann, wanted));
  EXPECT_THAT(room(*c, ann)->tags, IsEmpty());
  EXPECT_EQ(number(*c, fmt::format("SELECT COUNT(*) FROM room_tag WHERE room_id = {}", ann.value)),
            0);
}

TEST_P(AnchorStore, changes_a_rooms_title_and_category) {
  const auto id = addRoom("Ann", "music", {"a"});
  ChangeRoom wanted;
  wanted.title = Title{"深夜电台 🌙"};
  EXPECT_TRUE(change(id, wanted));
  EXPECT_EQ(room(*c, id)->title, "深夜电台 🌙");
  EXPECT_EQ(room(*c, id)->category, "music");
  wanted = {};
  wanted.category = Category{"talk"};
  EXPECT_TRUE(change(id, wanted));
  EXPECT_EQ(room(*c, id)->title, "深夜电台 🌙");
  EXPECT_EQ(room(*c, id)->category, "talk");
  EXPECT_THAT(room(*c, id)->tags, ElementsAre("a"));
}

TEST_P(AnchorStore, lists_anchors_newest_first_in_pages_without_gap_or_repeat) {
  std::vector<std::int64_t> made;
  for (int i = 0; i < 7; ++i) {
    made.push_back(add(fmt::format("Anchor {}", i), "music", {fmt::format("tag {}", i)}).value);
  }
  std::reverse(made.begin(), made.end());
  for (const int limit : {1, 2, 3, 7, 100}) {
    std::vector<std::int64_t> seen;
    for (std::int64_t before = kNoneBefore;;) {
      const auto page = anchors(*c, std::nullopt, before, limit);
      ASSERT_LE(page.size(), static_cast<std::size_t>(limit));
      if (page.empty()) break;
      for (const auto& one : page) {
        seen.push_back(one.id.value);
        EXPECT_THAT(one.tags, ElementsAre("tag" + one.name.substr(6)));
      }
      before = page.back().id.value;
    }
    EXPECT_EQ(seen, made);
  }
}

TEST_P(AnchorStore, finds_anchors_by_a_part_of_the_name_taken_literally) {
  for (const char* name : {"100%", "100 percent", "a_b", "axb", "王小明", "王大明"}) add(name);
  const auto names = [&](const std::string& part) {
    std::vector<std::string> found;
    for (const auto& one : anchors(*c, part, kNoneBefore, 100)) found.push_back(one.name);
    return found;
  };
  EXPECT_THAT(names("0%"), ElementsAre("100%"));
  EXPECT_THAT(names("a_b"), ElementsAre("a_b"));
  EXPECT_THAT(names("明"), ElementsAre("王大明", "王小明"));
  EXPECT_THAT(names("'"), IsEmpty());
}

TEST_P(AnchorStore, narrows_rooms_by_state_category_tag_and_anchor) {
  const auto a = addRoom("A", "music", {"pop", "late"});
  const auto b = addRoom("B", "music", {"rock"});
  addRoom("C", "games", {"late", "pop"});
  addRoom("D", "games");
  addRoom("E", "music", {"pop"});
  open(a);
  open(b);
  EXPECT_THAT(roomsOf([](RoomFilter&) {}), ElementsAre("E", "D", "C", "B", "A"));
  const auto byState = [&](RoomState state) {
    return roomsOf([&](RoomFilter& f) { f.state = state; });
  };
  EXPECT_THAT(byState(RoomState::live), ElementsAre("B", "A"));
  EXPECT_THAT(byState(RoomState::off), ElementsAre("E", "D", "C"));
  EXPECT_THAT(byState(RoomState::banned), IsEmpty());
  const auto byCategory = [&](const char* category) {
    return roomsOf([&](RoomFilter& f) { f.category = category; });
  };
  EXPECT_THAT(byCategory("music"), ElementsAre("E", "B", "A"));
  EXPECT_THAT(byCategory("Music"), IsEmpty());
  const auto byTag = [&](const char* tag) { return roomsOf([&](RoomFilter& f) { f.tag = tag; }); };
  EXPECT_THAT(byTag("pop"), ElementsAre("E", "C", "A"));
  EXPECT_THAT(byTag("po"), IsEmpty());
  EXPECT_THAT(roomsOf([&](RoomFilter& f) { f.anchor = room(*c, b)->anchorId; }), ElementsAre("B"));
  EXPECT_THAT(roomsOf([](RoomFilter& f) {
                f.category = "music";
                f.tag = "pop";
              }),
              ElementsAre("E", "A"));
  EXPECT_THAT(roomsOf([](RoomFilter& f) {
                f.state = RoomState::live;
                f.category = "music";
                f.tag = "pop";
              }),
              ElementsAre("A"));
}

TEST_P(AnchorStore, lists_rooms_with_their_own_tags) {
  addRoom("A", "music", {"pop", "late"});
  addRoom("B");
  addRoom("C", "music", {"late"});
  const auto found = rooms(*c, {}, kNoneBefore, 100);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_THAT(found[0].tags, ElementsAre("late"));
  EXPECT_THAT(found[1].tags, IsEmpty());
  EXPECT_THAT(found[2].tags, ElementsAre("pop", "late"));
}

// Sessions --------------------------------------------------------------------------------------

TEST_P(AnchorStore, opens_a_room_into_a_new_session_and_closes_both) {
  const auto id = addRoom("Ann");
  EXPECT_EQ(open(id, kNow), Transition::done);
  const auto live = room(*c, id);
  EXPECT_EQ(live->state, RoomState::live);
  ASSERT_TRUE(live->sessionId);
  const auto first = live->sessionId->value;
  EXPECT_THAT(
      rows(*c, {"id", "room_id", "opened_at", "closed_at", "tips", "revenue"}, "room_session"),
      ElementsAre(fmt::format("{}|{}|{}|NULL|NULL|NULL", first, id.value, kNow.us)));

  EXPECT_EQ(close(id, kNow + Duration{5}), Transition::done);
  EXPECT_EQ(room(*c, id)->state, RoomState::off);
  EXPECT_EQ(room(*c, id)->sessionId, std::nullopt);
  EXPECT_THAT(rows(*c, {"id", "closed_at"}, "room_session"),
              ElementsAre(fmt::format("{}|{}", first, kNow.us + 5)));

  EXPECT_EQ(open(id, kNow + Duration{9}), Transition::done);
  EXPECT_GT(room(*c, id)->sessionId->value, first);
  EXPECT_EQ(number(*c, "SELECT COUNT(*) FROM room_session"), 2);
}

TEST_P(AnchorStore, changes_nothing_by_opening_an_open_room_or_closing_a_closed_one) {
  const auto id = addRoom("Ann");
  auto before = everything();
  EXPECT_EQ(close(id, kNow), Transition::already);
  EXPECT_EQ(everything(), before);
  open(id, kNow);
  before = everything();
  EXPECT_EQ(open(id, kNow + Duration{5}), Transition::already);
  EXPECT_EQ(everything(), before);
  close(id, kNow + Duration{7});
  before = everything();
  EXPECT_EQ(close(id, kNow + Duration{9}), Transition::already);
  EXPECT_EQ(everything(), before);
}

TEST_P(AnchorStore, does_not_open_a_banned_room_or_one_that_is_not_there) {
  const auto id = addRoom("Ann");
  c->exec("UPDATE room SET state = 2 WHERE id = ?", {id});
  const auto before = everything();
  EXPECT_EQ(open(id), Transition::banned);
  EXPECT_NE(close(id, kNow), Transition::done);
  EXPECT_EQ(open(RoomId{id.value + 1}), Transition::notFound);
  EXPECT_EQ(close(RoomId{id.value + 1}, kNow), Transition::notFound);
  EXPECT_EQ(everything(), before);
}

TEST_P(AnchorStore, starts_one_session_however_many_open_the_room_at_once) {
  const auto id = addRoom("Ann");
  std::atomic<int> done = 0;
  std::atomic<int> already = 0;
  fixture::atOnce(8, [&](int) {
    const auto mine = database.connect();
    const auto result =
        db::transact(*mine, [&](db::Connection& t) { return openRoom(t, id, kNow); });
    (result == Transition::done ? done : already) += 1;
  });
  EXPECT_EQ(done, 1);
  EXPECT_EQ(already, 7);
  EXPECT_EQ(number(*c, "SELECT COUNT(*) FROM room_session"), 1);
  EXPECT_EQ(room(*c, id)->sessionId->value, number(*c, "SELECT id FROM room_session"));
}

TEST_P(AnchorStore, lists_the_sessions_of_one_room_newest_first_with_the_sums_that_were_kept) {
  const auto id = addRoom("Ann");
  const auto other = addRoom("Bob");
  std::vector<SessionId> made;
  for (int i = 0; i < 5; ++i) {
    open(id, kNow + Duration{10 * i});
    open(other, kNow);
    made.push_back(*room(*c, id)->sessionId);
    if (i == 4) break;
    close(id, kNow + Duration{10 * i + 5});
    close(other, kNow);
  }
  keepSums(*c, made[1], 0, Fen{0});
  keepSums(*c, made[2], 3, Fen{5'200});

  std::vector<StoredSession> seen;
  for (std::int64_t before = kNoneBefore;;) {
    const auto page = sessions(*c, id, before, 2);
    if (page.empty()) break;
    seen.insert(seen.end(), page.begin(), page.end());
    before = page.back().session.id.value;
  }
  ASSERT_EQ(seen.size(), 5U);
  for (std::size_t i = 0; i < 5; ++i) {
    const auto& [session, summed] = seen[4 - i];
    EXPECT_EQ(session.id, made[i]);
    EXPECT_EQ(session.roomId, id);
    EXPECT_EQ(session.openedAt, kNow + Duration{10 * static_cast<int>(i)});
    EXPECT_EQ(session.closedAt,
              i == 4 ? std::nullopt : std::optional(kNow + Duration{10 * static_cast<int>(i) + 5}));
    EXPECT_EQ(summed, i == 1 || i == 2);
    EXPECT_EQ(session.tips, i == 2 ? 3 : 0);
    EXPECT_EQ(session.revenue, Fen{i == 2 ? 5'200 : 0});
  }
}

TEST_P(AnchorStore, shows_other_roles_each_room_with_its_anchor) {
  const auto ann = addRoom("Ann");
  const auto bob = addRoom("Bob");
  open(bob);
  const auto one = cards(*c, bob);
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(one[0].anchor.name, "Bob");
  EXPECT_EQ(one[0].anchor.id, room(*c, bob)->anchorId);
  EXPECT_EQ(one[0].anchor.gender, Gender::female);
  EXPECT_EQ(one[0].anchor.room, bob);
  EXPECT_EQ(one[0].room.id, bob);
  EXPECT_EQ(one[0].room.anchor, one[0].anchor.id);
  EXPECT_EQ(one[0].room.anchorGender, Gender::female);
  EXPECT_EQ(one[0].room.state, RoomState::live);
  EXPECT_EQ(one[0].room.session, *room(*c, bob)->sessionId);

  const auto closed = cards(*c, ann);
  ASSERT_EQ(closed.size(), 1U);
  EXPECT_EQ(closed[0].room.state, RoomState::off);
  EXPECT_EQ(closed[0].room.session, SessionId{0});

  EXPECT_THAT(cards(*c, RoomId{1}), IsEmpty());
  std::vector<std::string> names;
  for (const auto& card : cards(*c, std::nullopt)) names.push_back(card.anchor.name);
  EXPECT_THAT(names, ::testing::UnorderedElementsAre("Ann", "Bob"));
}

}  // namespace
}  // namespace tipflow::anchor::store
