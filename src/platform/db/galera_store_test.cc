// A node of Galera, alone in its group: what it refuses when it has lost the others is certainly
// not done, and never becomes part of what is done later. wsrep_reject_queries makes it answer as a
// node without a majority does.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <filesystem>

#include "platform/db/database.h"
#include "platform/db/durability.h"
#include "store/database.h"
#include "store/mariadb.h"
#include "store/process.h"

namespace tipflow::db {
namespace {

using fixture::number;
using ::testing::ElementsAre;

constexpr const char* kProvider = "/usr/lib/galera/libgalera_smm.so";

class GaleraStore : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!std::filesystem::exists(kProvider)) return;
    server = fixture::MariaDb::another(
        "galera",
        {"--wsrep-on=ON", fmt::format("--wsrep-provider={}", kProvider),
         "--wsrep-cluster-address=gcomm://", "--binlog-format=ROW", "--innodb-autoinc-lock-mode=2",
         fmt::format("--wsrep-provider-options=gmcast.listen_addr=tcp://127.0.0.1:{}",
                     fixture::freePort())});
  }
  static void TearDownTestSuite() { server.reset(); }

  void SetUp() override {
    if (!server) GTEST_SKIP() << "Galera is not installed (Debian: galera-4)";
    ASSERT_TRUE(fixture::eventually([&] {
      return number(*admin(),
                    "SELECT VARIABLE_VALUE = 'ON' FROM information_schema.global_status "
                    "WHERE VARIABLE_NAME = 'wsrep_ready'") == 1;
    }));
    url = server->newDatabase();
    c = connect(url);
    fixture::make(*c, "CREATE TABLE counter (id ${BIG_KEY}, value BIGINT NOT NULL)${TABLE}");
    c->exec("INSERT INTO counter (id, value) VALUES (1, 0)");
  }
  void TearDown() override {
    if (server) takeStatements(true);
  }

  static std::unique_ptr<Connection> admin() { return connect(server->url()); }
  static void takeStatements(bool yes) {
    admin()->exec(fmt::format("SET GLOBAL wsrep_reject_queries = {}", yes ? "NONE" : "ALL"));
  }
  std::vector<std::string> counters() {
    return fixture::rows(*connect(url), {"id", "value"}, "counter ORDER BY id");
  }

  static inline std::unique_ptr<fixture::MariaDb> server;
  Url url;
  std::unique_ptr<Connection> c;
};

TEST_F(GaleraStore, that_takes_no_statement_has_done_nothing) {
  takeStatements(false);
  EXPECT_THROW(c->exec("UPDATE counter SET value = 1"), Unavailable);
  EXPECT_THROW(c->begin(), Unavailable);
  EXPECT_THROW(c->insertRows("INSERT INTO counter (id, value)", 2, std::vector<Param>{2, 0}, ""),
               Unavailable);
  takeStatements(true);
  EXPECT_THAT(counters(), ElementsAre("1|0"));
}

// It refuses ROLLBACK too: on the same connection, what was given up would be committed by the next
// START TRANSACTION.
TEST_F(GaleraStore, never_commits_what_was_given_up) {
  c->begin();
  c->exec("INSERT INTO counter (id, value) VALUES (2, 0)");
  takeStatements(false);
  EXPECT_THROW(c->exec("UPDATE counter SET value = 1"), Unavailable);
  c->rollback();
  takeStatements(true);
  EXPECT_THROW(c->begin(), Unavailable);
  c.reset();
  EXPECT_TRUE(fixture::eventually([&] { return fixture::openTransactions(*admin()) == 0; },
                                  fixture::kInnodbShowsEvery));
  EXPECT_THAT(counters(), ElementsAre("1|0"));
}

TEST_F(GaleraStore, leaves_the_outcome_of_a_refused_commit_open) {
  c->begin();
  c->exec("UPDATE counter SET value = 1");
  takeStatements(false);
  EXPECT_THROW(c->commit(), ConnectionLost);
}

TEST_F(GaleraStore, has_each_write_of_a_pool_done_once) {
  Database pool("db", url, {.threads = 1});
  // Tried again is what a connection that is kept could not do.
  drogon::sync_wait(pool.read([](Connection& p) { return p.serverId(); }));
  int runs = 0;
  const auto raise = [&](Connection& p) {
    p.exec("UPDATE counter SET value = value + 1");
    if (++runs > 1) return;
    takeStatements(false);
    try {
      p.exec("UPDATE counter SET value = value + 10");
    } catch (const Unavailable&) {
      takeStatements(true);
      throw;
    }
  };
  drogon::sync_wait(pool.write(raise));
  drogon::sync_wait(pool.write(raise));
  EXPECT_THAT(counters(), ElementsAre("1|2"));
}

TEST_F(GaleraStore, is_read_as_new_as_its_group) {
  EXPECT_EQ(number(*c, "SELECT @@SESSION.wsrep_sync_wait"), 7);
}

TEST_F(GaleraStore, takes_many_rows_as_one_write_set) {
  const auto committed = [&] {
    return number(*c,
                  "SELECT VARIABLE_VALUE FROM information_schema.global_status "
                  "WHERE VARIABLE_NAME = 'wsrep_last_committed'");
  };
  std::vector<Param> values;
  for (int id = 100; id < 1'100; ++id) values.insert(values.end(), {id, 0});
  const auto before = committed();
  c->insertRows("INSERT INTO counter (id, value)", 2, values, "");
  EXPECT_EQ(committed(), before + 1);
  values[0] = 5;  // the others are there already
  EXPECT_THROW(c->insertRows("INSERT INTO counter (id, value)", 2, values, ""), DuplicateKey);
  EXPECT_EQ(number(*c, "SELECT COUNT(*) FROM counter"), 1'001);
  EXPECT_EQ(committed(), before + 1);
}

TEST_F(GaleraStore, is_durable_only_with_a_majority) {
  const auto faults = [&] {
    std::vector<std::string> names;
    for (const auto& fault : durabilityFaults(Dialect::mysql, readDurability(*c))) {
      names.push_back(fault.setting);
    }
    return names;
  };
  EXPECT_THAT(faults(), ElementsAre());
  c->exec("SET GLOBAL wsrep_provider_options = 'pc.ignore_sb=true'");
  EXPECT_THAT(faults(), ElementsAre("pc.ignore_sb"));
  c->exec("SET GLOBAL wsrep_provider_options = 'pc.ignore_sb=false'");
}

}  // namespace
}  // namespace tipflow::db
