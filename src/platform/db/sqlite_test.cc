// What every user of db::Connection relies on, shown on SQLite; the stores' tests show the same on
// the MySQL protocol.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <limits>

#include "platform/db/connection.h"
#include "platform/db/dialect.h"

namespace tipflow::db {
namespace {

struct SqliteTest : testing::Test {
  std::string file = testing::TempDir() + "tipflow_sqlite_test_" + std::to_string(getpid());
  std::unique_ptr<Connection> connection;

  SqliteTest() {
    removeFiles();
    connection = connect(Url::parse("sqlite:" + file));
    connection->exec("CREATE TABLE t (id INTEGER PRIMARY KEY, n BIGINT, s TEXT, b BLOB UNIQUE)");
  }
  ~SqliteTest() override {
    connection.reset();
    removeFiles();
  }
  void removeFiles() const {
    for (const auto* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(file + suffix);
  }
  [[nodiscard]] std::unique_ptr<Connection> another() const {
    return connect(Url::parse("sqlite:" + file));
  }
  static std::int64_t rows(Connection& c) {
    std::int64_t n = -1;
    c.query("SELECT COUNT(*) FROM t", {}, [&](const Row& row) { n = row.integer(0); });
    return n;
  }
  void insert(std::initializer_list<std::int64_t> ids) {
    std::vector<Param> values;
    for (const auto id : ids) {
      values.emplace_back(id);
      values.emplace_back(id * 10);
    }
    connection->insertRows("INSERT INTO t (id, n)", 2, values, "");
  }
};

TEST_F(SqliteTest, gives_back_every_kind_of_value_as_it_was_given) {
  const auto most = std::numeric_limits<std::int64_t>::max();
  const TraceId traceId{0x0192000000000000, 0xFF00000000000001};
  const std::string text("a'\";--\0主🎁", 15);
  connection->exec("INSERT INTO t (id, n, s, b) VALUES (?, ?, ?, ?)", {1, most, text, traceId});
  connection->exec("INSERT INTO t (id, n, s, b) VALUES (?, ?, ?, ?)", {2, nullptr, "", nullptr});
  int seen = 0;
  connection->query("SELECT n, s, b FROM t ORDER BY id", {}, [&](const Row& row) {
    if (++seen == 1) {
      EXPECT_EQ(row.integer(0), most);
      EXPECT_EQ(row.text(1), text);
      EXPECT_EQ(TraceId::fromBytes(row.text(2)), traceId);
      EXPECT_EQ(row.optionalInteger(0), most);
    } else {
      EXPECT_TRUE(row.isNull(0));
      EXPECT_FALSE(row.isNull(1));
      EXPECT_EQ(row.text(1), "");
      EXPECT_TRUE(row.isNull(2));
      EXPECT_EQ(row.optionalTime(0), std::nullopt);
    }
  });
  EXPECT_EQ(seen, 2);
}

TEST_F(SqliteTest, counts_rows_that_matched_whether_they_changed_or_not) {
  insert({1, 2});
  EXPECT_EQ(connection->exec("UPDATE t SET n = 10 WHERE id = 1").matched, 1);
  EXPECT_EQ(connection->exec("UPDATE t SET n = 10 WHERE id = 9").matched, 0);
  EXPECT_EQ(connection->exec("UPDATE t SET n = 5").matched, 2);
  EXPECT_EQ(connection->exec("INSERT INTO t (n) VALUES (1)").lastId, 3);
}

TEST_F(SqliteTest, a_duplicate_key_is_told_from_other_errors_and_nothing_of_the_rows_stays) {
  insert({5});
  EXPECT_THROW(insert({6, 7, 5, 8}), DuplicateKey);
  EXPECT_EQ(rows(*connection), 1);
  EXPECT_THROW(insert({6, 6}), DuplicateKey);
  EXPECT_EQ(rows(*connection), 1);
  connection->exec("INSERT INTO t (id, b) VALUES (?, ?)", {6, TraceId{1, 2}});
  EXPECT_THROW(connection->exec("INSERT INTO t (id, b) VALUES (?, ?)", {7, TraceId{1, 2}}),
               DuplicateKey);
  try {
    connection->exec("INSERT INTO nowhere (id) VALUES (1)");
    FAIL();
  } catch (const DuplicateKey&) {
    FAIL() << "a missing table is no duplicate";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("nowhere"), std::string::npos);
  }
  insert({8, 9});
  EXPECT_EQ(rows(*connection), 4);
}

TEST_F(SqliteTest, in_a_transaction_rows_stay_open_until_its_end) {
  const auto reader = another();
  connection->begin();
  insert({1, 2});
  EXPECT_EQ(rows(*connection), 2);
  EXPECT_EQ(rows(*reader), 0);
  connection->rollback();
  EXPECT_EQ(rows(*connection), 0);
  connection->begin();
  insert({3});
  connection->commit();
  EXPECT_EQ(rows(*reader), 1);
  connection->rollback();  // nothing is open
  EXPECT_EQ(rows(*reader), 1);
}

TEST_F(SqliteTest, a_snapshot_sees_one_instant) {
  insert({1});
  const auto reader = another();
  reader->beginSnapshot();
  insert({2});
  EXPECT_EQ(rows(*reader), 1);
  reader->commit();
  EXPECT_EQ(rows(*reader), 2);
}

TEST_F(SqliteTest, a_connection_that_goes_away_takes_its_open_transaction_along) {
  auto other = another();
  other->begin();
  other->exec("INSERT INTO t (id) VALUES (1)");
  other.reset();
  insert({1});
  EXPECT_EQ(rows(*connection), 1);
}

TEST_F(SqliteTest, keeps_what_was_committed_when_it_is_opened_again) {
  insert({1, 2, 3});
  connection.reset();
  connection = another();
  EXPECT_EQ(rows(*connection), 3);
}

TEST_F(SqliteTest, a_file_that_cannot_be_opened_is_unavailable) {
  EXPECT_THROW((void)connect(Url::parse("sqlite:/nowhere/at/all/db1")), Unavailable);
}

TEST_F(SqliteTest, sums_and_settings_are_upserted_and_what_is_kept_is_kept) {
  const auto dialect = connection->dialect();
  const auto nOf1 = [&] {
    std::int64_t n = 0;
    connection->query("SELECT n FROM t WHERE id = 1", {}, [&](const Row& r) { n = r.integer(0); });
    return n;
  };
  const auto upsert = [&](std::int64_t n, const std::string& tail) {
    const std::vector<Param> values{1, n};
    connection->insertRows("INSERT INTO t (id, n)", 2, values, tail);
  };
  upsert(5, upsertAdd(dialect, "id", {"n"}));
  upsert(7, upsertAdd(dialect, "id", {"n"}));
  EXPECT_EQ(nOf1(), 12);
  upsert(3, upsertSet(dialect, "id", {"n"}));
  EXPECT_EQ(nOf1(), 3);
  upsert(9, orKeep(dialect, "id"));
  EXPECT_EQ(nOf1(), 3);
}

TEST(DialectTails, of_the_mysql_protocol_name_the_same_columns) {
  EXPECT_EQ(upsertAdd(Dialect::mysql, "a, b", {"x", "y"}),
            " ON DUPLICATE KEY UPDATE x = x + VALUES(x), y = y + VALUES(y)");
  EXPECT_EQ(upsertSet(Dialect::mysql, "a", {"x"}), " ON DUPLICATE KEY UPDATE x = VALUES(x)");
  EXPECT_EQ(orKeep(Dialect::mysql, "a, b"), " ON DUPLICATE KEY UPDATE a = a");
  EXPECT_EQ(forUpdate(Dialect::mysql), " FOR UPDATE");
  EXPECT_EQ(forUpdate(Dialect::sqlite), "");
}

// Transactions --------------------------------------------------------------------------------

TEST_F(SqliteTest, a_transaction_that_was_rolled_back_is_run_again_and_leaves_one_trace) {
  int runs = 0;
  const auto result = transact(*connection, [&](Connection& c) {
    c.exec("INSERT INTO t (id) VALUES (1)");
    if (++runs < 3) throw RolledBack(0, "deadlock");
    return runs;
  });
  EXPECT_EQ(result, 3);
  EXPECT_EQ(rows(*connection), 1);
}

TEST_F(SqliteTest, a_transaction_is_not_run_again_for_ever) {
  int runs = 0;
  EXPECT_THROW(transact(
                   *connection,
                   [&](Connection& c) {
                     c.exec("INSERT INTO t (id) VALUES (1)");
                     ++runs;
                     throw RolledBack(0, "deadlock");
                   },
                   2),
               RolledBack);
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(rows(*connection), 0);
}

TEST_F(SqliteTest, a_transaction_that_fails_otherwise_is_undone_and_not_run_again) {
  for (int kind = 0; kind < 3; ++kind) {
    int runs = 0;
    const auto work = [&](Connection& c) {
      ++runs;
      c.exec("INSERT INTO t (id) VALUES (1)");
      if (kind == 0) throw ConnectionLost(0, "gone");
      if (kind == 1) throw DuplicateKey(0, "taken");
      throw BrokenInvariant("no");
    };
    EXPECT_ANY_THROW(transact(*connection, work));
    EXPECT_EQ(runs, 1) << kind;
    EXPECT_EQ(rows(*connection), 0) << kind;
  }
  insert({1});
}

}  // namespace
}  // namespace tipflow::db
