// The viewers' tables on both databases: registered viewers and guests, their changes and lists.
#include "audience/viewer_store.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>

#include "store/database.h"

namespace tipflow::audience::store {
namespace {

using fixture::number;
using fixture::rows;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Time kNow{1'770'000'000'123'456};
constexpr std::int64_t kNoneBefore = kIdEnd;

TagList tagList(const std::vector<std::string>& tags) {
  TagList list;
  for (const auto& tag : tags) list.items.push_back({tag});
  return list;
}

NewViewer registered(const std::string& name, std::vector<std::string> tags = {}) {
  NewViewer viewer;
  viewer.kind = ViewerKind::registered;
  viewer.name = name;
  viewer.passwordHash = "hash of " + name;
  viewer.gender = Gender::male;
  viewer.age = 33;
  viewer.region = "广州";
  viewer.tags = std::move(tags);
  viewer.createdAt = kNow;
  return viewer;
}

NewViewer guest() {
  NewViewer viewer;
  viewer.createdAt = kNow;
  return viewer;
}

class ViewerStore : public ::testing::TestWithParam<fixture::Engine> {
 protected:
  ViewerId add(const NewViewer& viewer) {
    return db::transact(*c, [&](db::Connection& t) { return insertViewer(t, viewer); });
  }
  Changed change(ViewerId id, const ChangeViewer& wanted,
                 const std::optional<std::string>& hash = std::nullopt) {
    return db::transact(*c, [&](db::Connection& t) { return changeViewer(t, id, wanted, hash); });
  }
  Changed upgrade(ViewerId id, const NewViewer& wanted) {
    return db::transact(*c, [&](db::Connection& t) { return upgradeViewer(t, id, wanted); });
  }
  std::vector<std::string> everything() { return fixture::dump(*c, {"viewer", "viewer_tag"}); }
  std::vector<std::string> stored() {
    return rows(*c, {"kind", "login_name", "password_hash", "gender", "age", "region", "state"},
                "viewer ORDER BY id");
  }

  fixture::TestDatabase database{GetParam(), "db1"};
  std::unique_ptr<db::Connection> c = database.connect();
};
TIPFLOW_ON_BOTH(ViewerStore);

TEST_P(ViewerStore, registers_a_viewer_and_shows_it_as_it_was_given) {
  const auto id = add(registered("李雷 🎸", {"pop", "late", "广州"}));
  const auto found = viewer(*c, id);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, id);
  EXPECT_EQ(found->kind, ViewerKind::registered);
  EXPECT_EQ(found->name, "李雷 🎸");
  EXPECT_EQ(found->gender, Gender::male);
  EXPECT_EQ(found->age, 33);
  EXPECT_EQ(found->region, "广州");
  EXPECT_THAT(found->tags, ElementsAre("pop", "late", "广州"));
  EXPECT_EQ(found->tier, std::nullopt) << "that is for analysis to say";
  EXPECT_EQ(found->state, ViewerState::active);
  EXPECT_EQ(found->createdAt, kNow);
}

TEST_P(ViewerStore, takes_any_number_of_guests_without_name_age_or_region) {
  for (int i = 0; i < 3; ++i) {
    const auto id = add(guest());
    const auto found = viewer(*c, id);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->kind, ViewerKind::guest);
    EXPECT_EQ(found->name, fmt::format("游客-{}", id.value));
    EXPECT_EQ(found->gender, Gender::unknown);
    EXPECT_EQ(found->age, std::nullopt);
    EXPECT_EQ(found->region, std::nullopt);
    EXPECT_THAT(found->tags, IsEmpty());
  }
  EXPECT_THAT(stored(), ElementsAre("2|NULL|NULL|0|NULL||1", "2|NULL|NULL|0|NULL||1",
                                    "2|NULL|NULL|0|NULL||1"));
}

TEST_P(ViewerStore, tells_an_age_of_zero_from_none) {
  auto baby = registered("Baby");
  baby.age = 0;
  EXPECT_EQ(viewer(*c, add(baby))->age, 0);
}

TEST_P(ViewerStore, has_each_name_once_and_keeps_nothing_of_a_second) {
  add(registered("Li", {"a"}));
  const auto before = everything();
  EXPECT_THROW(add(registered("Li", {"b"})), db::DuplicateKey);
  EXPECT_EQ(everything(), before);
  add(registered("LI"));
  add(registered("Lí"));
  EXPECT_EQ(number(*c, "SELECT COUNT(*) FROM viewer"), 3);
}

TEST_P(ViewerStore, finds_the_account_of_exactly_that_name_and_none_for_guests) {
  const auto id = add(registered("Li"));
  add(registered("li"));
  const auto nobody = add(guest());
  const auto found = account(*c, "Li");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, id.value);
  EXPECT_EQ(found->role, Role::viewer);
  EXPECT_EQ(found->passwordHash, "hash of Li");
  EXPECT_FALSE(account(*c, "LI"));
  EXPECT_FALSE(account(*c, ""));
  EXPECT_FALSE(account(*c, guestName(nobody)));
}

TEST_P(ViewerStore, changes_what_is_named_and_nothing_else) {
  const auto id = add(registered("Li", {"a", "b"}));
  const auto other = add(registered("Han", {"b"}));
  EXPECT_EQ(change(id, {}), Changed::done);
  EXPECT_THAT(stored(),
              ElementsAre("1|Li|hash of Li|1|33|广州|1", "1|Han|hash of Han|1|33|广州|1"));

  ChangeViewer wanted;
  wanted.age = ViewerAge{17};
  EXPECT_EQ(change(id, wanted), Changed::done);
  EXPECT_EQ(change(id, wanted), Changed::done) << "the same again";
  EXPECT_THAT(stored(),
              ElementsAre("1|Li|hash of Li|1|17|广州|1", "1|Han|hash of Han|1|33|广州|1"));

  wanted = {};
  wanted.name = Name{"Lei's"};
  wanted.gender = Gender::female;
  wanted.region = Region{"成都"};
  wanted.tags = tagList({"c", "a", "c"});
  EXPECT_EQ(change(id, wanted, "new hash"), Changed::done);
  EXPECT_THAT(stored(),
              ElementsAre("1|Lei's|new hash|2|17|成都|1", "1|Han|hash of Han|1|33|广州|1"));
  EXPECT_THAT(viewer(*c, id)->tags, ElementsAre("c", "a"));
  EXPECT_THAT(viewer(*c, other)->tags, ElementsAre("b"));
}

TEST_P(ViewerStore, changes_nothing_at_all_when_the_new_name_is_taken) {
  const auto id = add(registered("Li", {"a"}));
  add(registered("Han"));
  const auto before = everything();
  ChangeViewer wanted;
  wanted.name = Name{"Han"};
  wanted.age = ViewerAge{60};
  wanted.tags = tagList({"z"});
  EXPECT_THROW(change(id, wanted), db::DuplicateKey);
  EXPECT_EQ(everything(), before);
}

TEST_P(ViewerStore, changes_a_guest_but_not_its_name_or_password) {
  const auto id = add(guest());
  const auto before = everything();
  ChangeViewer wanted;
  wanted.age = ViewerAge{20};
  wanted.name = Name{"Li"};
  EXPECT_EQ(change(id, wanted), Changed::notAllowed);
  wanted.name.reset();
  wanted.password = Password{"a password"};
  EXPECT_EQ(change(id, wanted, "hash"), Changed::notAllowed);
  EXPECT_EQ(everything(), before);
  wanted.password.reset();
  wanted.tags = tagList({"pop"});
  EXPECT_EQ(change(id, wanted), Changed::done);
  EXPECT_THAT(stored(), ElementsAre("2|NULL|NULL|0|20||1"));
  EXPECT_THAT(viewer(*c, id)->tags, ElementsAre("pop"));
}

TEST_P(ViewerStore, changes_nobody_when_there_is_no_such_viewer) {
  const auto id = add(registered("Li", {"a"}));
  const auto before = everything();
  const ViewerId nobody{id.value + 1};
  ChangeViewer wanted;
  wanted.age = ViewerAge{60};
  wanted.tags = tagList({"z"});
  EXPECT_EQ(change(nobody, wanted), Changed::notFound);
  EXPECT_EQ(upgrade(nobody, registered("Han")), Changed::notFound);
  EXPECT_FALSE(setState(*c, nobody, ViewerState::disabled));
  EXPECT_FALSE(viewer(*c, nobody));
  EXPECT_EQ(everything(), before);
}

TEST_P(ViewerStore, makes_a_guest_registered_under_the_same_id_and_only_once) {
  const auto id = add(guest());
  const auto other = add(guest());
  EXPECT_EQ(upgrade(id, registered("Li", {"a", "b"})), Changed::done);
  const auto found = viewer(*c, id);
  EXPECT_EQ(found->kind, ViewerKind::registered);
  EXPECT_EQ(found->name, "Li");
  EXPECT_EQ(found->age, 33);
  EXPECT_THAT(found->tags, ElementsAre("a", "b"));
  EXPECT_EQ(account(*c, "Li")->id, id.value);
  const auto before = everything();
  EXPECT_EQ(upgrade(id, registered("Lei", {"c"})), Changed::notAllowed);
  EXPECT_EQ(upgrade(id, registered("Li")), Changed::notAllowed);
  EXPECT_EQ(everything(), before);
  EXPECT_EQ(viewer(*c, other)->kind, ViewerKind::guest);
}

TEST_P(ViewerStore, leaves_a_guest_as_it_was_when_the_name_is_taken) {
  add(registered("Li"));
  const auto id = add(guest());
  const auto before = everything();
  EXPECT_THROW(upgrade(id, registered("Li", {"a"})), db::DuplicateKey);
  EXPECT_EQ(everything(), before);
  EXPECT_EQ(upgrade(id, registered("Han")), Changed::done);
}

TEST_P(ViewerStore, upgrades_a_guest_once_however_many_ask_at_once) {
  const auto id = add(guest());
  std::atomic<int> done = 0;
  std::atomic<int> refused = 0;
  fixture::atOnce(8, [&](int i) {
    const auto mine = database.connect();
    const auto wanted = registered(fmt::format("Name {}", i), {fmt::format("tag {}", i)});
    const auto result =
        db::transact(*mine, [&](db::Connection& t) { return upgradeViewer(t, id, wanted); });
    (result == Changed::done ? done : refused) += 1;
  });
  EXPECT_EQ(done, 1);
  EXPECT_EQ(refused, 7);
  const auto found = viewer(*c, id);
  EXPECT_THAT(found->tags, ElementsAre("tag" + found->name.substr(4)));
}

TEST_P(ViewerStore, disables_and_enables) {
  const auto id = add(registered("Li"));
  const auto other = add(registered("Han"));
  EXPECT_TRUE(setState(*c, id, ViewerState::disabled));
  EXPECT_TRUE(setState(*c, id, ViewerState::disabled)) << "the same again";
  EXPECT_EQ(viewer(*c, id)->state, ViewerState::disabled);
  EXPECT_EQ(viewer(*c, other)->state, ViewerState::active);
  EXPECT_TRUE(setState(*c, id, ViewerState::active));
  EXPECT_EQ(viewer(*c, id)->state, ViewerState::active);
}

TEST_P(ViewerStore, lists_newest_first_in_pages_without_gap_or_repeat) {
  std::vector<std::int64_t> made;
  for (int i = 0; i < 7; ++i) {
    const auto tags = std::vector{fmt::format("tag {}", i)};
    made.push_back(add(i % 2 == 0 ? guest() : registered(fmt::format("V {}", i), tags)).value);
  }
  std::reverse(made.begin(), made.end());
  for (const int limit : {1, 2, 3, 7, 100}) {
    std::vector<std::int64_t> seen;
    for (std::int64_t before = kNoneBefore;;) {
      const auto page = viewers(*c, std::nullopt, std::nullopt, before, limit);
      ASSERT_LE(page.size(), static_cast<std::size_t>(limit));
      if (page.empty()) break;
      for (const auto& one : page) {
        seen.push_back(one.id.value);
        if (one.kind == ViewerKind::guest) {
          EXPECT_THAT(one.tags, IsEmpty());
        } else {
          EXPECT_THAT(one.tags, ElementsAre("tag" + one.name.substr(1)));
        }
      }
      before = page.back().id.value;
    }
    EXPECT_EQ(seen, made);
  }
}

TEST_P(ViewerStore, narrows_by_a_literal_part_of_the_name_and_by_kind) {
  for (const char* name : {"100%", "100 percent", "a_b", "axb", "王小明", "王大明"}) {
    add(registered(name));
  }
  const auto nobody = add(guest());
  const auto names = [&](const std::optional<std::string>& part, std::optional<ViewerKind> kind) {
    std::vector<std::string> found;
    for (const auto& one : viewers(*c, part, kind, kNoneBefore, 100)) found.push_back(one.name);
    return found;
  };
  EXPECT_THAT(names("0%", std::nullopt), ElementsAre("100%"));
  EXPECT_THAT(names("a_b", std::nullopt), ElementsAre("a_b"));
  EXPECT_THAT(names("明", std::nullopt), ElementsAre("王大明", "王小明"));
  EXPECT_THAT(names("明", ViewerKind::registered), ElementsAre("王大明", "王小明"));
  EXPECT_THAT(names("明", ViewerKind::guest), IsEmpty());
  EXPECT_THAT(names(std::nullopt, ViewerKind::guest), ElementsAre(guestName(nobody)));
  EXPECT_EQ(names(std::nullopt, ViewerKind::registered).size(), 6U);
}

TEST_P(ViewerStore, gives_the_cards_of_those_asked_for_that_exist) {
  const auto li = add(registered("Li"));
  const auto nobody = add(guest());
  add(registered("Han"));
  setState(*c, li, ViewerState::disabled);
  EXPECT_THAT(cards(*c, {}), IsEmpty());
  auto found = cards(*c, {li, ViewerId{9'999}, nobody, li});
  std::sort(found.begin(), found.end(),
            [](const ViewerCard& a, const ViewerCard& b) { return a.id < b.id; });
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].id, li);
  EXPECT_EQ(found[0].kind, ViewerKind::registered);
  EXPECT_EQ(found[0].state, ViewerState::disabled);
  EXPECT_EQ(found[0].gender, Gender::male);
  EXPECT_EQ(found[0].age, 33);
  EXPECT_EQ(found[0].name, "Li");
  EXPECT_EQ(found[1].id, nobody);
  EXPECT_EQ(found[1].kind, ViewerKind::guest);
  EXPECT_EQ(found[1].age, std::nullopt);
  EXPECT_EQ(found[1].name, guestName(nobody));
}

TEST_P(ViewerStore, gives_the_cards_of_a_thousand_viewers_at_once) {
  std::vector<ViewerId> ids;
  db::transact(*c, [&](db::Connection& t) {
    ids.clear();
    for (int i = 0; i < 1'000; ++i) ids.push_back(insertViewer(t, guest()));
  });
  EXPECT_EQ(cards(*c, ids).size(), 1'000U);
}

}  // namespace
}  // namespace tipflow::audience::store
