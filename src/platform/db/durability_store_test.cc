// Durability as real databases have it in effect.
#include "platform/db/durability.h"

#include <gtest/gtest.h>

#include "store/database.h"
#include "store/mariadb.h"

namespace tipflow::db {
namespace {

using fixture::Engine;

std::vector<std::string> faultsOf(Connection& connection) {
  std::vector<std::string> names;
  for (const auto& fault : durabilityFaults(connection.dialect(), readDurability(connection))) {
    names.push_back(fault.setting);
  }
  return names;
}

using Names = std::vector<std::string>;

struct DurabilityInEffect : testing::TestWithParam<Engine> {};
TIPFLOW_ON_BOTH(DurabilityInEffect);

TEST_P(DurabilityInEffect, is_read_from_the_database_itself) {
  const fixture::TestDatabase database(GetParam());
  const auto connection = database.connect();
  auto settings = readDurability(*connection);
  if (GetParam() == Engine::SQLite) {
    settings.erase("medium");  // wherever the tests' directory lies
    EXPECT_EQ(settings, (DurabilitySettings{{"journal_mode", "wal"}, {"synchronous", "2"}}));
  } else {
    EXPECT_EQ(settings["innodb_flush_log_at_trx_commit"], "1");
    EXPECT_EQ(settings["innodb_doublewrite"], "on");
    EXPECT_EQ(settings["log_bin"], "off");
    EXPECT_EQ(settings.count("sync_binlog"), 1U);
    EXPECT_EQ(faultsOf(*connection), Names{});
  }
}

TEST(DurabilityOfMariaDb, is_seen_to_change_while_the_server_runs) {
  const auto admin = connect(fixture::MariaDb::running().url());
  admin->exec("SET GLOBAL innodb_flush_log_at_trx_commit = 2");
  const auto weakened = faultsOf(*admin);
  admin->exec("SET GLOBAL innodb_flush_log_at_trx_commit = 1");
  EXPECT_EQ(weakened, Names{"innodb_flush_log_at_trx_commit"});
  EXPECT_EQ(faultsOf(*admin), Names{});
}

TEST(DurabilityOfSqlite, is_seen_to_be_weakened_on_a_connection) {
  const fixture::TestDatabase database(Engine::SQLite);
  const auto connection = database.connect();
  connection->query("PRAGMA synchronous=NORMAL", {}, [](const Row&) {});
  EXPECT_EQ(readDurability(*connection)["synchronous"], "1");
}

TEST(DurabilityOfSqlite, in_memory_is_none) {
  const auto connection = connect(Url::parse("sqlite::memory:"));
  EXPECT_EQ(faultsOf(*connection), (Names{"journal_mode", "medium"}));
}

}  // namespace
}  // namespace tipflow::db
