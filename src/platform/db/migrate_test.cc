#include "platform/db/migrate.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

namespace tipflow::db {
namespace {

constexpr Time kNow{1'770'000'000'000'000};

std::string squeezed(const std::string& sql) {
  std::string out;
  for (const char c : sql) {
    const bool blank = c == ' ' || c == '\n' || c == '\t';
    if (!blank) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

std::vector<std::string> split(std::string_view sql, Dialect dialect = Dialect::sqlite) {
  std::vector<std::string> result;
  for (const auto& statement : statements(sql, dialect)) result.push_back(squeezed(statement));
  return result;
}

using Statements = std::vector<std::string>;

TEST(Statements, end_with_a_semicolon_or_with_the_text) {
  EXPECT_EQ(split("CREATE TABLE a (x INT);\nCREATE TABLE b (x INT)"),
            (Statements{"CREATE TABLE a (x INT)", "CREATE TABLE b (x INT)"}));
  EXPECT_EQ(split("SELECT 1;SELECT 2;"), (Statements{"SELECT 1", "SELECT 2"}));
  EXPECT_EQ(split("CREATE TABLE a (\n  x INT,\n\n  y INT\n);\n"),
            (Statements{"CREATE TABLE a ( x INT, y INT )"}));
}

TEST(Statements, are_not_made_of_nothing) {
  EXPECT_EQ(split(""), Statements{});
  EXPECT_EQ(split(" \n\t\n"), Statements{});
  EXPECT_EQ(split(";;\n ; \n"), Statements{});
  EXPECT_EQ(split("-- only words\n"), Statements{});
}

TEST(Statements, do_not_see_lines_of_comment_whatever_stands_in_them) {
  EXPECT_EQ(split("-- first; not this\nSELECT 1;\n  -- between; it's (\nSELECT 2;\n-- last"),
            (Statements{"SELECT 1", "SELECT 2"}));
  EXPECT_EQ(split("CREATE TABLE a (\n  -- how; many\n  x INT\n);"),
            (Statements{"CREATE TABLE a ( x INT )"}));
}

TEST(Statements, are_written_for_their_dialect) {
  const auto* sql =
      "CREATE TABLE a (id ${AUTO_ID})${TABLE}; CREATE TABLE b (id ${BIG_KEY})${TABLE};";
  EXPECT_EQ(split(sql, Dialect::sqlite),
            (Statements{"CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT)",
                        "CREATE TABLE b (id INTEGER PRIMARY KEY)"}));
  EXPECT_EQ(split(sql, Dialect::mysql),
            (Statements{"CREATE TABLE a (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY) "
                        "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
                        "CREATE TABLE b (id BIGINT NOT NULL PRIMARY KEY) "
                        "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"}));
}

TEST(Statements, of_the_embedded_migrations_are_whole_in_both_dialects) {
  for (const auto* folder : {"db1", "db2"}) {
    const auto migrations = embeddedMigrations(folder);
    ASSERT_FALSE(migrations.empty()) << folder;
    int number = 0;
    for (const auto& migration : migrations) {
      SCOPED_TRACE(std::string(folder) + "/" + migration.name);
      EXPECT_EQ(migration.number, ++number) << "numbered 1, 2, 3 …";
      for (const auto dialect : {Dialect::sqlite, Dialect::mysql}) {
        const auto all = statements(migration.sql, dialect);
        EXPECT_FALSE(all.empty());
        for (const auto& statement : all) {
          const auto text = squeezed(statement);
          EXPECT_EQ(std::count(text.begin(), text.end(), '('),
                    std::count(text.begin(), text.end(), ')'))
              << text;
          EXPECT_EQ(std::count(text.begin(), text.end(), '\'') % 2, 0) << text;
          EXPECT_EQ(text.find("${"), std::string::npos) << text;
          EXPECT_EQ(text.find("--"), std::string::npos) << text;
        }
      }
    }
  }
}

TEST(Migrations, of_a_folder_that_is_not_there_are_none) {
  EXPECT_TRUE(embeddedMigrations("db3").empty());
}

struct MigrateTest : testing::Test {
  std::string file = testing::TempDir() + "tipflow_migrate_test_" + std::to_string(getpid());
  std::unique_ptr<Connection> connection;

  MigrateTest() {
    removeFiles();
    connection = connect(Url::parse("sqlite:" + file));
  }
  ~MigrateTest() override {
    connection.reset();
    removeFiles();
  }
  void removeFiles() const {
    for (const auto* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(file + suffix);
  }
  std::int64_t count(std::string_view sql) {
    std::int64_t result = -1;
    connection->query(sql, {}, [&](const Row& row) { result = row.integer(0); });
    return result;
  }
};

TEST_F(MigrateTest, applies_what_is_missing_in_order_and_once) {
  const std::vector<Migration> first{{1, "0001_a.sql", "CREATE TABLE a (x INT);"}};
  auto both = first;
  both.push_back({2, "0002_b.sql", "CREATE TABLE b (x INT); INSERT INTO b (x) VALUES (1);"});

  EXPECT_EQ(migrate(*connection, first, kNow), Statements{"0001_a.sql"});
  EXPECT_EQ(migrate(*connection, both, kNow), Statements{"0002_b.sql"});
  EXPECT_EQ(migrate(*connection, both, kNow), Statements{});
  EXPECT_EQ(count("SELECT COUNT(*) FROM b"), 1);
  EXPECT_EQ(count("SELECT COUNT(*) FROM schema_migration"), 2);
  EXPECT_EQ(count("SELECT applied_at FROM schema_migration WHERE number = 1"), kNow.us);
}

TEST_F(MigrateTest, a_migration_that_fails_leaves_nothing_behind_and_can_be_tried_again) {
  const std::vector<Migration> broken{
      {1, "0001_a.sql", "CREATE TABLE a (x INT); CREATE TABEL b (x INT);"}};
  EXPECT_THROW((void)migrate(*connection, broken, kNow), Error);
  EXPECT_EQ(count("SELECT COUNT(*) FROM sqlite_master WHERE name = 'a'"), 0);
  EXPECT_EQ(count("SELECT COUNT(*) FROM schema_migration"), 0);

  const std::vector<Migration> mended{
      {1, "0001_a.sql", "CREATE TABLE a (x INT); CREATE TABLE b (x INT);"}};
  EXPECT_EQ(migrate(*connection, mended, kNow), Statements{"0001_a.sql"});
}

TEST_F(MigrateTest, a_schema_that_a_newer_release_wrote_is_not_touched) {
  const std::vector<Migration> newer{{1, "0001_a.sql", "CREATE TABLE a (x INT);"},
                                     {2, "0002_b.sql", "CREATE TABLE b (x INT);"}};
  migrate(*connection, newer, kNow);
  EXPECT_THROW((void)migrate(*connection, {newer.front()}, kNow), Error);
  EXPECT_THROW((void)migrate(*connection, {}, kNow), Error);
}

TEST_F(MigrateTest, the_embedded_migrations_make_a_schema_twice_the_same) {
  const auto migrations = embeddedMigrations("db1");
  EXPECT_EQ(migrate(*connection, migrations, kNow).size(), migrations.size());
  EXPECT_EQ(migrate(*connection, migrations, kNow).size(), 0U);
  EXPECT_EQ(count("SELECT COUNT(*) FROM tip"), 0);
}

}  // namespace
}  // namespace tipflow::db
