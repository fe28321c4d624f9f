#include "platform/tags.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "platform/db/migrate.h"

namespace tipflow {
namespace {

using Tags = std::vector<std::string>;

TEST(Tags, are_taken_in_their_order_without_repeats) {
  TagList list;
  for (const auto* tag : {"music", "舞蹈", "music", "Music"}) list.items.push_back({tag});
  EXPECT_EQ(tagsOf(list), (Tags{"music", "舞蹈", "Music"}));
  EXPECT_EQ(tagsOf({}), Tags{});
}

TEST(Tags, of_an_entity_are_replaced_as_a_whole_and_keep_their_order) {
  const auto file = testing::TempDir() + "tipflow_tags_test_" + std::to_string(getpid());
  {
    const auto connection = db::connect(db::Url::parse("sqlite:" + file));
    db::migrate(*connection, db::embeddedMigrations("db1"), Time{});
    const TagTable table("room_tag", "room_id");
    table.replace(*connection, 1, {"b", "c", "a"});
    table.replace(*connection, 2, {"c"});
    table.replace(*connection, 3, {"d"});
    auto tags = table.of(*connection, {1, 2, 9});
    EXPECT_EQ(tags[1], (Tags{"b", "c", "a"}));
    EXPECT_EQ(tags[2], Tags{"c"});
    EXPECT_FALSE(tags.contains(3)) << "not asked for";
    EXPECT_EQ(tags[9], Tags{});

    table.replace(*connection, 1, {"a", "b"});
    table.replace(*connection, 2, {});
    tags = table.of(*connection, {1, 2, 3});
    EXPECT_EQ(tags[1], (Tags{"a", "b"}));
    EXPECT_EQ(tags[2], Tags{});
    EXPECT_EQ(tags[3], Tags{"d"});
    EXPECT_TRUE(table.of(*connection, {}).empty());
  }
  for (const auto* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(file + suffix);
}

}  // namespace
}  // namespace tipflow
