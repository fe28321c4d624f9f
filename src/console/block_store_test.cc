// Blocked networks on both databases.
#include "console/block_store.h"

#include <gmock/gmock.h>

#include "store/database.h"

namespace tipflow::console::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr Time kNow{1'770'000'000'123'456};
constexpr Duration kHour{kUsPerHour};
constexpr std::int64_t kBy = 7;

class BlockStore : public testing::TestWithParam<fixture::Engine> {
 public:
  fixture::TestDatabase database{GetParam(), "db2"};
  std::unique_ptr<db::Connection> connection = database.connect();

  std::int64_t add(const char* network, std::optional<Time> until = {}, Time now = kNow) {
    return addBlock(*connection, network, "reason of " + std::string(network), until, kBy, now);
  }
};

TEST_P(BlockStore, keeps_what_it_was_given) {
  connection->exec(
      "INSERT INTO operator_user (id, name, password_hash, role, created_at) "
      "VALUES (7, 'mei', '', 2, 0)");
  const auto id = add("203.0.113.0/24", kNow + kHour);
  const auto kept = block(*connection, id, kNow).value();
  EXPECT_EQ(kept.id, id);
  EXPECT_EQ(kept.network, "203.0.113.0/24");
  EXPECT_EQ(kept.reason, "reason of 203.0.113.0/24");
  EXPECT_EQ(kept.until, kNow + kHour);
  EXPECT_EQ(kept.createdAt, kNow);
  EXPECT_EQ(kept.createdBy, "mei");
}

TEST_P(BlockStore, forgets_a_block_when_it_is_over) {
  const auto brief = add("203.0.113.0/24", kNow + kHour);
  add("198.51.100.0/24");
  EXPECT_THAT(blockedNetworks(*connection, kNow),
              UnorderedElementsAre("203.0.113.0/24", "198.51.100.0/24"));
  EXPECT_THAT(blockedNetworks(*connection, kNow + kHour), ElementsAre("198.51.100.0/24"));
  EXPECT_FALSE(block(*connection, brief, kNow + kHour).has_value());
  EXPECT_EQ(blocks(*connection, kNow + kHour, kIdEnd, 10).size(), 1U);

  add("192.0.2.0/24", {}, kNow + kHour);
  EXPECT_EQ(fixture::number(*connection, "SELECT COUNT(*) FROM ip_block"), 2) << "and deletes it";
}

TEST_P(BlockStore, lets_a_new_block_of_a_network_take_the_place_of_the_old) {
  add("203.0.113.0/24", kNow + kHour);
  const auto second = add("203.0.113.0/24");
  const auto found = blocks(*connection, kNow, kIdEnd, 10);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found.front().id, second);
  EXPECT_EQ(found.front().until, std::nullopt);
}

TEST_P(BlockStore, lists_the_newest_first_and_goes_on_below_an_id) {
  const auto first = add("192.0.2.1/32");
  const auto second = add("192.0.2.2/32");
  const auto third = add("192.0.2.3/32");
  const auto page = blocks(*connection, kNow, kIdEnd, 2);
  ASSERT_EQ(page.size(), 2U);
  EXPECT_EQ(page[0].id, third);
  EXPECT_EQ(page[1].id, second);
  const auto rest = blocks(*connection, kNow, second, 2);
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_EQ(rest.front().id, first);
}

TEST_P(BlockStore, deletes_a_block) {
  const auto id = add("192.0.2.1/32");
  deleteBlock(*connection, id);
  EXPECT_THAT(blockedNetworks(*connection, kNow), IsEmpty());
}

TIPFLOW_ON_BOTH(BlockStore);

}  // namespace
}  // namespace tipflow::console::store
