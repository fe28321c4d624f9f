// Rooms page by page, as other nodes read them, on both databases.
#include "anchor/card_store.h"

#include <gmock/gmock.h>

#include "store/database.h"

namespace tipflow::anchor::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Time kNow{1'770'000'000'123'456};

class CardStore : public ::testing::TestWithParam<fixture::Engine> {
 protected:
  Cards add(const std::string& name, std::vector<std::string> tags = {}) {
    NewAnchor anchor;
    anchor.name = name;
    anchor.passwordHash = "hash";
    anchor.gender = Gender::female;
    anchor.age = 30;
    anchor.tags = std::move(tags);
    anchor.createdAt = kNow;
    const auto id = insertAnchor(*c, anchor);
    return cardPage(*c, {{}, id, {}}, 10).at(0);
  }
  std::vector<RoomId> page(const CardFilter& filter, std::size_t limit) {
    std::vector<RoomId> rooms;
    for (const auto& cards : cardPage(*c, filter, limit)) rooms.push_back(cards.room.id);
    return rooms;
  }

  fixture::TestDatabase database{GetParam(), "db1"};
  std::unique_ptr<db::Connection> c = database.connect();
};
TIPFLOW_ON_BOTH(CardStore);

TEST_P(CardStore, tells_what_the_directory_of_the_role_knows) {
  add("Wang");
  const auto added = add("Li", {"music", "talk"});
  ASSERT_EQ(openRoom(*c, added.room.id, kNow), Transition::done);
  const auto told = cardPage(*c, {added.room.id, {}, {}}, 10).at(0);
  const auto known = cards(*c, added.room.id).at(0);
  EXPECT_EQ(told.anchor.id, known.anchor.id);
  EXPECT_EQ(told.anchor.name, "Li");
  EXPECT_EQ(told.anchor.room, known.anchor.room);
  EXPECT_EQ(told.room.state, RoomState::live);
  EXPECT_EQ(told.room.session, known.room.session);
  EXPECT_NE(told.room.session, SessionId{0});
  EXPECT_EQ(told.room.anchorGender, Gender::female);
  EXPECT_EQ(told.tags, known.tags);
}

TEST_P(CardStore, goes_through_all_rooms_once_page_by_page) {
  const auto first = add("a").room.id;
  const auto second = add("b").room.id;
  const auto third = add("c").room.id;
  EXPECT_THAT(page({}, 2), ElementsAre(first, second));
  EXPECT_THAT(page({{}, {}, second}, 2), ElementsAre(third));
  EXPECT_THAT(page({{}, {}, third}, 2), IsEmpty());
  EXPECT_THAT(page({RoomId{third.value + 1}, {}, {}}, 2), IsEmpty());
}

}  // namespace
}  // namespace tipflow::anchor::store
