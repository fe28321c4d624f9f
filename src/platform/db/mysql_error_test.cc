// What the servers' errors say about what was done. Numbers, not the library's names: MySQL's and
// Galera's are not all among them.
#include "platform/db/mysql_error.h"

#include <gtest/gtest.h>

#include "platform/db/connection.h"

namespace tipflow::db {
namespace {

template <class Kind>
bool is(unsigned code) {
  try {
    failMysql(code, "text of the server", "INSERT INTO tip");
  } catch (const Kind& error) {
    return error.code() == static_cast<int>(code);
  } catch (const Error&) {
    return false;
  }
}

TEST(MysqlError, of_a_transaction_that_lost_against_another_is_rolled_back) {
  EXPECT_TRUE(is<RolledBack>(1213)) << "a deadlock, and Galera's failed certification";
  EXPECT_TRUE(is<RolledBack>(1205)) << "a lock that was waited for too long";
  EXPECT_TRUE(is<RolledBack>(3101)) << "MySQL's group replication";
  EXPECT_TRUE(is<RolledBack>(9007)) << "TiDB";
}

TEST(MysqlError, around_a_commit_leaves_its_outcome_open) {
  EXPECT_TRUE(is<ConnectionLost>(1180)) << "Galera's group broke";
  EXPECT_TRUE(is<ConnectionLost>(3100)) << "MySQL's group replication broke";
  EXPECT_TRUE(is<ConnectionLost>(1317)) << "interrupted";
  EXPECT_TRUE(is<ConnectionLost>(2013)) << "no answer";
}

TEST(MysqlError, of_a_server_that_left_is_a_lost_connection) {
  EXPECT_TRUE(is<ConnectionLost>(2006));
  EXPECT_TRUE(is<ConnectionLost>(1053)) << "it shuts down";
  EXPECT_TRUE(is<ConnectionLost>(4031)) << "MySQL, after wait_timeout";
}

TEST(MysqlError, of_a_server_that_takes_no_statement_gives_the_connection_up) {
  EXPECT_TRUE(is<Unavailable>(1047))
      << "a node of Galera without its group, which refuses ROLLBACK too";
  EXPECT_TRUE(is<Unavailable>(1290)) << "read only";
  EXPECT_TRUE(is<Unavailable>(1836));
}

TEST(MysqlError, of_a_unique_key_and_of_a_wrong_statement) {
  EXPECT_TRUE(is<DuplicateKey>(1062));
  EXPECT_FALSE(is<RolledBack>(1064));
  EXPECT_FALSE(is<ConnectionLost>(1064));
  EXPECT_FALSE(is<Unavailable>(1064));
}

}  // namespace
}  // namespace tipflow::db
