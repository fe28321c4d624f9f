// What a database says of itself, for operators: which engine it is, which schema it has, how large
// its tables are. Only reads.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "platform/db/connection.h"

namespace tipflow::db {

struct TableSize {
  std::string name;
  std::optional<std::int64_t> rows;   ///< an estimate; none where only counting would tell
  std::optional<std::int64_t> bytes;  ///< with its indexes; none where it would take long to tell
};

struct AppliedMigration {
  int number = 0;
  std::string name;
  Time appliedAt;
};

struct Inspection {
  std::string engine;  ///< `MariaDB 10.11.6`, `SQLite 3.40.1`
  std::vector<AppliedMigration> migrations;
  std::vector<TableSize> tables;
  std::optional<std::int64_t> bytes;  ///< of all of it
};

/// In a moment, however large the database is.
Inspection inspect(Connection& connection);

}  // namespace tipflow::db
