// Reads beside the primary, with a real replica: where they go, and that what they see is never
// older than the limit, whatever the replica does.
#include "platform/db/replicas.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "platform/db/migrate.h"
#include "store/database.h"
#include "store/mariadb.h"

namespace tipflow::db {
namespace {

using std::chrono::steady_clock;
using ::testing::HasSubstr;

constexpr std::int64_t kPrimary = 101;
constexpr std::int64_t kReplica = 102;
constexpr Duration kLag{500'000};

class ReplicasStore : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    primaryServer = fixture::MariaDb::another(
        "primary", {fmt::format("--server-id={}", kPrimary), "--log-bin=changes"});
    replicaServer = fixture::MariaDb::another("replica", {fmt::format("--server-id={}", kReplica)});
    const auto replica = connect(replicaServer->url());
    replica->exec(
        fmt::format("CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = {}, "
                    "MASTER_USER = 'root', MASTER_CONNECT_RETRY = 1, "
                    "MASTER_USE_GTID = slave_pos",
                    primaryServer->url().port));
    replica->exec("START SLAVE");
  }
  static void TearDownTestSuite() {
    replicaServer.reset();
    primaryServer.reset();
  }

  void SetUp() override {
    const auto url = primaryServer->newDatabase();
    write = connect(url);
    migrate(*write, embeddedMigrations("db1"), SystemClock{}.now());
    write->exec("CREATE TABLE written (at BIGINT NOT NULL)");
    write->exec("INSERT INTO written (at) VALUES (0)");
    primary = std::make_unique<Database>("DB1", url, PoolOptions{2});
    auto replicaUrl = replicaServer->url();
    replicaUrl.database = url.database;
    replicas = std::make_unique<Replicas>(*primary, std::vector{replicaUrl}, ReplicaLimits{kLag, 2},
                                          metrics);
    primary->readAsideFrom(*replicas);
    replicas->start();
    onReplica = connect(replicaServer->url());
  }
  void TearDown() override {
    replicaServer->thaw();
    onReplica->exec("START SLAVE");
    replicas->stop();
  }

  /// Which server answers a read that may go beside.
  std::int64_t asked() {
    return drogon::sync_wait(primary->readAside(
        [](Connection& connection) { return fixture::number(connection, "SELECT @@server_id"); }));
  }
  testing::AssertionResult goesTo(std::int64_t server) {
    if (fixture::eventually([&] { return asked() == server; })) return testing::AssertionSuccess();
    return testing::AssertionFailure() << replicas->states().front().detail;
  }

  static std::unique_ptr<fixture::MariaDb> primaryServer;
  static std::unique_ptr<fixture::MariaDb> replicaServer;
  Metrics metrics;
  std::unique_ptr<Connection> write;
  std::unique_ptr<Connection> onReplica;
  std::unique_ptr<Database> primary;
  std::unique_ptr<Replicas> replicas;
};
std::unique_ptr<fixture::MariaDb> ReplicasStore::primaryServer;
std::unique_ptr<fixture::MariaDb> ReplicasStore::replicaServer;

TEST_F(ReplicasStore, go_to_the_replica_while_it_keeps_up) {
  EXPECT_TRUE(goesTo(kReplica));
  const auto state = replicas->states().front();
  EXPECT_TRUE(state.read);
  EXPECT_LT(state.lag.value(), kLag);
  EXPECT_EQ(state.detail, "");
}

TEST_F(ReplicasStore, other_reads_and_writes_stay_with_the_primary) {
  ASSERT_TRUE(goesTo(kReplica));
  const auto ask = [](Connection& connection) {
    return fixture::number(connection, "SELECT @@server_id");
  };
  EXPECT_EQ(drogon::sync_wait(primary->read(ask)), kPrimary);
  EXPECT_EQ(drogon::sync_wait(primary->write(ask)), kPrimary);
}

TEST_F(ReplicasStore, go_to_the_primary_while_the_replica_is_behind_and_come_back) {
  ASSERT_TRUE(goesTo(kReplica));
  onReplica->exec("STOP SLAVE SQL_THREAD");
  EXPECT_TRUE(goesTo(kPrimary));
  EXPECT_THAT(replicas->states().front().detail, HasSubstr("behind"));
  onReplica->exec("START SLAVE");
  EXPECT_TRUE(goesTo(kReplica));
}

TEST_F(ReplicasStore, go_to_the_primary_while_the_replica_hears_nothing_from_it) {
  ASSERT_TRUE(goesTo(kReplica));
  onReplica->exec("STOP SLAVE IO_THREAD");
  EXPECT_TRUE(goesTo(kPrimary));
}

TEST_F(ReplicasStore, are_answered_by_the_primary_when_the_replica_freezes) {
  ASSERT_TRUE(goesTo(kReplica));
  replicaServer->freeze();
  const auto frozen = steady_clock::now();
  EXPECT_EQ(asked(), kPrimary) << "the read that waits for the replica is answered all the same";
  EXPECT_LT(steady_clock::now() - frozen, std::chrono::seconds(8));
  const auto then = steady_clock::now();
  EXPECT_EQ(asked(), kPrimary);
  EXPECT_LT(steady_clock::now() - then, std::chrono::seconds(1)) << "the next one does not wait";
  replicaServer->thaw();
  EXPECT_TRUE(goesTo(kReplica));
}

TEST_F(ReplicasStore, what_the_replica_refuses_the_primary_answers) {
  ASSERT_TRUE(goesTo(kReplica));
  onReplica->exec("DROP TABLE " + primary->url().database + ".written");
  const auto rows = drogon::sync_wait(primary->readAside([](Connection& connection) {
    return fixture::number(connection, "SELECT COUNT(*) FROM written");
  }));
  EXPECT_EQ(rows, 1);
}

TEST_F(ReplicasStore, never_see_what_is_older_than_the_limit) {
  ASSERT_TRUE(goesTo(kReplica));
  std::atomic<bool> over{false};
  std::thread writer([&] {
    while (!over) write->exec("UPDATE written SET at = ?", {write->now()});
  });
  EXPECT_TRUE(fixture::eventually([&] {
    return fixture::number(*onReplica, "SELECT at FROM " + primary->url().database + ".written") >
           0;
  }));
  Duration oldest{};
  int asides = 0;
  const auto readFor = [&](std::chrono::milliseconds time) {
    const auto until = steady_clock::now() + time;
    while (steady_clock::now() < until) {
      const Time now = SystemClock{}.now();
      const auto [at, server] = drogon::sync_wait(primary->readAside([](Connection& connection) {
        return std::pair{Time{fixture::number(connection, "SELECT at FROM written")},
                         fixture::number(connection, "SELECT @@server_id")};
      }));
      if (server == kReplica) ++asides;
      oldest = std::max(oldest, now - at);
    }
  };
  for (int i = 0; i < 3; ++i) {
    readFor(std::chrono::milliseconds(300));
    onReplica->exec("STOP SLAVE SQL_THREAD");
    readFor(std::chrono::milliseconds(1'200));
    onReplica->exec("START SLAVE");
    EXPECT_TRUE(goesTo(kReplica));
  }
  over = true;
  writer.join();
  EXPECT_LT(oldest, kLag);
  EXPECT_GT(asides, 0);
}

}  // namespace
}  // namespace tipflow::db
