// What databases say of themselves, on both engines.
#include "platform/db/inspect.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "platform/db/migrate.h"
#include "store/database.h"

namespace tipflow::db {
namespace {

using ::testing::SizeIs;
using ::testing::StartsWith;

class InspectStore : public ::testing::TestWithParam<fixture::Engine> {
 protected:
  static const TableSize& table(const Inspection& inspection, const std::string& name) {
    const auto found = std::find_if(inspection.tables.begin(), inspection.tables.end(),
                                    [&](const TableSize& each) { return each.name == name; });
    if (found == inspection.tables.end()) throw std::logic_error("no table " + name);
    return *found;
  }
  fixture::TestDatabase database{GetParam(), "db1"};
  std::unique_ptr<Connection> connection = database.connect();
};
TIPFLOW_ON_BOTH(InspectStore);

TEST_P(InspectStore, names_the_engine_and_every_migration) {
  const auto found = inspect(*connection);
  EXPECT_THAT(found.engine,
              StartsWith(GetParam() == fixture::Engine::SQLite ? "SQLite 3." : "MariaDB 1"));
  const auto known = embeddedMigrations("db1");
  ASSERT_THAT(found.migrations, SizeIs(known.size()));
  for (std::size_t i = 0; i < known.size(); ++i) {
    EXPECT_EQ(found.migrations[i].number, known[i].number);
    EXPECT_EQ(found.migrations[i].name, known[i].name);
    EXPECT_GT(found.migrations[i].appliedAt, Time{});
  }
}

TEST_P(InspectStore, says_how_large_each_table_is) {
  const auto empty = inspect(*connection);
  const std::string text(400, 'x');
  std::vector<Param> values;
  for (int i = 0; i < 5'000; ++i) values.insert(values.end(), {i, text});
  connection->exec("CREATE TABLE filled (id BIGINT NOT NULL PRIMARY KEY, text VARCHAR(400))");
  connection->insertRows("INSERT INTO filled (id, text)", 2, values, "");
  if (connection->dialect() == Dialect::mysql) {
    connection->query("ANALYZE TABLE filled", {}, [](const Row&) {});
  }
  const auto filled = inspect(*connection);
  EXPECT_GT(table(filled, "filled").bytes.value(), 5'000 * 400);
  EXPECT_GT(filled.bytes.value(), empty.bytes.value());
  EXPECT_LT(table(filled, "tip").bytes.value(), 1'000'000);
}

}  // namespace
}  // namespace tipflow::db
