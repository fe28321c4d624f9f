// Brings a database to the current schema by numbered migrations that are embedded in the binary.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/db/connection.h"

namespace tipflow::db {

struct Migration {
  int number;
  std::string name;
  std::string sql;
};

/// The migrations of `sql/<folder>/`, in order; dialect words such as ${AUTO_ID} still in them.
std::vector<Migration> embeddedMigrations(std::string_view folder);

/// Applies what is missing; returns the names of what was applied. Several nodes may call it at
/// once. Throws Error when a migration of this database is unknown here (a newer release wrote it).
std::vector<std::string> migrate(Connection& connection, const std::vector<Migration>& migrations,
                                 Time now);

/// The statements of a migration for `dialect`.
std::vector<std::string> statements(std::string_view sql, Dialect dialect);

}  // namespace tipflow::db
