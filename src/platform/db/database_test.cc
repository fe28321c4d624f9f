#include "platform/db/database.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

namespace tipflow::db {
namespace {

struct DatabaseTest : testing::Test {
  std::string file = testing::TempDir() + "tipflow_database_test_" + std::to_string(getpid());

  DatabaseTest() {
    removeFiles();
    connect(Url::parse("sqlite:" + file))->exec("CREATE TABLE t (id INTEGER PRIMARY KEY)");
  }
  ~DatabaseTest() override { removeFiles(); }
  void removeFiles() const {
    for (const auto* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(file + suffix);
  }
  [[nodiscard]] Url url() const { return Url::parse("sqlite:" + file); }

  static std::int64_t rows(Connection& connection) {
    std::int64_t n = -1;
    connection.query("SELECT COUNT(*) FROM t", {}, [&](const Row& row) { n = row.integer(0); });
    return n;
  }
  static void insert(Connection& connection, std::int64_t id) {
    connection.exec("INSERT INTO t (id) VALUES (?)", {id});
  }
};

TEST_F(DatabaseTest, runs_work_elsewhere_and_gives_back_what_it_brought) {
  Database database("DB1", url(), {2, 10});
  const auto thread = drogon::sync_wait(database.read([](Connection& connection) {
    EXPECT_EQ(rows(connection), 0);
    return std::this_thread::get_id();
  }));
  EXPECT_NE(thread, std::this_thread::get_id());
  drogon::sync_wait(database.write([](Connection& connection) { insert(connection, 1); }));
  EXPECT_EQ(drogon::sync_wait(database.read([](Connection& c) { return rows(c); })), 1);
}

TEST_F(DatabaseTest, a_write_that_fails_is_undone_and_its_error_is_the_callers) {
  Database database("DB1", url(), {1, 10});
  EXPECT_THROW(drogon::sync_wait(database.write([](Connection& connection) {
                 insert(connection, 1);
                 insert(connection, 1);
               })),
               DuplicateKey);
  EXPECT_EQ(drogon::sync_wait(database.read([](Connection& c) { return rows(c); })), 0);
}

TEST_F(DatabaseTest, a_read_whose_connection_was_lost_is_asked_once_more_and_a_write_is_not) {
  Database database("DB1", url(), {1, 10});
  int reads = 0;
  EXPECT_EQ(drogon::sync_wait(database.read([&](Connection& connection) {
              if (++reads == 1) throw ConnectionLost(0, "gone");
              return rows(connection);
            })),
            0);
  EXPECT_EQ(reads, 2);
  reads = 0;
  EXPECT_THROW(drogon::sync_wait(database.read([&](Connection&) {
                 ++reads;
                 throw ConnectionLost(0, "gone for good");
               })),
               ConnectionLost);
  EXPECT_EQ(reads, 2);
  int writes = 0;
  EXPECT_THROW(drogon::sync_wait(database.write([&](Connection&) {
                 ++writes;
                 throw ConnectionLost(0, "gone");
               })),
               ConnectionLost);
  EXPECT_EQ(writes, 1);
}

TEST_F(DatabaseTest, that_cannot_be_reached_is_unavailable) {
  Database database("DB1", Url::parse("sqlite:/nowhere/at/all/db1"), {1, 10});
  EXPECT_THROW(drogon::sync_wait(database.read([](Connection& c) { return rows(c); })),
               Unavailable);
}

TEST_F(DatabaseTest, refuses_work_beyond_its_queue_at_once) {
  Database database("DB1", url(), {1, 0});
  EXPECT_THROW(drogon::sync_wait(database.read([](Connection& c) { return rows(c); })),
               Unavailable);
}

TEST_F(DatabaseTest, counts_how_its_work_ended_and_how_long_it_waited) {
  Metrics metrics;
  Database database("DB1", url(), {1, 10});
  database.measure(metrics);
  drogon::sync_wait(database.write([](Connection& connection) { insert(connection, 1); }));
  EXPECT_THROW(drogon::sync_wait(database.write([](Connection& c) { insert(c, 1); })),
               DuplicateKey);
  EXPECT_THROW(drogon::sync_wait(database.write(
                   [](Connection&) { throw std::runtime_error("changed its mind"); })),
               std::runtime_error);
  EXPECT_THROW(drogon::sync_wait(database.write([](Connection&) { throw ConnectionLost(0, ""); })),
               ConnectionLost);
  const auto text = metrics.text();
  for (const auto* line :
       {R"(tipflow_database_queries_total{database="DB1",outcome="done"} 1)",
        R"(tipflow_database_queries_total{database="DB1",outcome="refused"} 1)",
        R"(tipflow_database_queries_total{database="DB1",outcome="undone"} 1)",
        R"(tipflow_database_queries_total{database="DB1",outcome="lost"} 1)",
        R"(tipflow_database_queries_total{database="DB1",outcome="unavailable"} 0)",
        R"(tipflow_database_pool_connections{database="DB1"} 1)",
        R"(tipflow_database_pool_waiting{database="DB1"} 0)",
        R"(tipflow_database_pool_wait_seconds_count{database="DB1"} 4)"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "\nin\n" << text;
  }
}

}  // namespace
}  // namespace tipflow::db
