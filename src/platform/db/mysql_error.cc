#include "platform/db/mysql_error.h"

#include <errmsg.h>
#include <fmt/format.h>
#include <mysqld_error.h>

#include "platform/db/connection.h"

namespace tipflow::db {

void failMysql(unsigned code, const char* message, std::string_view sql) {
  const auto what = fmt::format("MySQL: {} ({}) in: {}", message, code, sql.substr(0, 120));
  const int number = static_cast<int>(code);
  switch (code) {
    case ER_DUP_ENTRY:
    case ER_DUP_ENTRY_WITH_KEY_NAME:
      throw DuplicateKey(number, what);
    case ER_LOCK_DEADLOCK:
    case ER_LOCK_WAIT_TIMEOUT:
    case 1020:  // ER_CHECKREAD: MariaDB's snapshot conflict
    case ER_DISK_FULL:
    case ER_RECORD_FILE_FULL:
    case 3101:  // ER_TRANSACTION_ROLLBACK_DURING_COMMIT: MySQL's group replication refused it
    case 9007:  // TiDB: write conflict
    case 8022:  // TiDB: commit failed, may be tried again
      throw RolledBack(number, what);
    case CR_SERVER_GONE_ERROR:
    case CR_SERVER_LOST:
    case CR_COMMANDS_OUT_OF_SYNC:
    case CR_MALFORMED_PACKET:
    case ER_SERVER_SHUTDOWN:
    case ER_NEW_ABORTING_CONNECTION:
    case ER_QUERY_INTERRUPTED:
    case 1927:                    // ER_CONNECTION_KILLED
    case 4031:                    // MySQL's ER_CLIENT_INTERACTION_TIMEOUT: left before it was asked
    case ER_ERROR_DURING_COMMIT:  // also Galera's, when its group breaks around the commit
    case 3100:                    // ER_RUN_HOOK_ERROR: group replication broke around the commit
      throw ConnectionLost(number, what);
    case ER_OPTION_PREVENTS_STATEMENT:  // read only: a replica, or being switched over
    case 1836:                          // ER_READ_ONLY_MODE
    // Galera: the node is joining or has lost its group; another one may answer. Not RolledBack:
    // the node refuses ROLLBACK too, so what is open ends with the connection and not before.
    case ER_UNKNOWN_COM_ERROR:
      throw Unavailable(number, what);
    default:
      throw Error(number, what);
  }
}

}  // namespace tipflow::db
