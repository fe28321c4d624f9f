#include "platform/db/inspect.h"

#include <fmt/format.h>

namespace tipflow::db {
namespace {

constexpr const char* kServerTables = R"(
  SELECT table_name, table_rows, data_length + index_length FROM information_schema.tables
  WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' ORDER BY table_name)";
constexpr const char* kFileTables = R"(
  SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name)";
// Indexes count with their table.
constexpr const char* kFileSizes = R"(
  SELECT m.tbl_name, SUM(s.pgsize) FROM dbstat s JOIN sqlite_master m ON m.name = s.name
  WHERE s.aggregate = TRUE GROUP BY m.tbl_name)";
// To tell a table's part SQLite reads every page.
constexpr std::int64_t kSmallFile = std::int64_t{64} << 20;

std::string oneText(Connection& connection, const char* sql) {
  std::string text;
  connection.query(sql, {}, [&](const Row& row) { text = row.text(0); });
  return text;
}

std::int64_t oneNumber(Connection& connection, const char* sql) {
  std::int64_t number = 0;
  connection.query(sql, {}, [&](const Row& row) { number = row.integer(0); });
  return number;
}

std::string engineOf(Connection& connection) {
  if (connection.dialect() == Dialect::sqlite) {
    return "SQLite " + oneText(connection, "SELECT sqlite_version()");
  }
  auto version = oneText(connection, "SELECT VERSION()");
  const auto mark = version.find("-MariaDB");
  if (mark == std::string::npos) return "MySQL " + version;
  return "MariaDB " + version.substr(0, mark);
}

std::vector<AppliedMigration> migrationsOf(Connection& connection) {
  std::vector<AppliedMigration> migrations;
  connection.query("SELECT number, name, applied_at FROM schema_migration ORDER BY number", {},
                   [&](const Row& row) {
                     migrations.push_back(
                         {static_cast<int>(row.integer(0)), std::string(row.text(1)), row.time(2)});
                   });
  return migrations;
}

void readServerSizes(Connection& connection, Inspection& inspection) {
  std::int64_t all = 0;
  connection.query(kServerTables, {}, [&](const Row& row) {
    inspection.tables.push_back(
        {std::string(row.text(0)), row.optionalInteger(1), row.optionalInteger(2)});
    all += row.optionalInteger(2).value_or(0);
  });
  inspection.bytes = all;
}

void readFileSizes(Connection& connection, Inspection& inspection) {
  connection.query(kFileTables, {}, [&](const Row& row) {
    inspection.tables.push_back({std::string(row.text(0)), std::nullopt, std::nullopt});
  });
  inspection.bytes =
      oneNumber(connection, "PRAGMA page_count") * oneNumber(connection, "PRAGMA page_size");
  if (*inspection.bytes > kSmallFile) return;
  connection.query(kFileSizes, {}, [&](const Row& row) {
    for (auto& table : inspection.tables) {
      if (table.name == row.text(0)) table.bytes = row.integer(1);
    }
  });
}

}  // namespace

Inspection inspect(Connection& connection) {
  Inspection inspection;
  inspection.engine = engineOf(connection);
  inspection.migrations = migrationsOf(connection);
  if (connection.dialect() == Dialect::sqlite) {
    readFileSizes(connection, inspection);
  } else {
    readServerSizes(connection, inspection);
  }
  return inspection;
}

}  // namespace tipflow::db
