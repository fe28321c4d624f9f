#include "platform/db/migrate.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <utility>

#include "platform/db/dialect.h"
#include "platform/embedded.h"

namespace tipflow::db {
namespace {

using Words = std::array<std::pair<std::string_view, std::string_view>, 3>;

constexpr Words kSqliteWords{{{"${AUTO_ID}", "INTEGER PRIMARY KEY AUTOINCREMENT"},
                              {"${BIG_KEY}", "INTEGER PRIMARY KEY"},
                              {"${TABLE}", ""}}};
constexpr Words kMysqlWords{
    {{"${AUTO_ID}", "BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY"},
     {"${BIG_KEY}", "BIGINT NOT NULL PRIMARY KEY"},
     {"${TABLE}", " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"}}};

void replaceAll(std::string& text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

std::string withoutComments(std::string_view sql) {
  std::string out;
  while (!sql.empty()) {
    const auto end = sql.find('\n');
    const auto line = sql.substr(0, end);
    if (const auto start = line.find_first_not_of(' ');
        start != std::string_view::npos && !line.substr(start).starts_with("--")) {
      out += line;
      out += '\n';
    }
    if (end == std::string_view::npos) break;
    sql.remove_prefix(end + 1);
  }
  return out;
}

/// Whether the account lacks a right: to the table, or to the whole database.
bool mayNot(const Error& error) {
  constexpr int kTableDenied = 1142;
  constexpr int kDatabaseDenied = 1044;
  return error.code() == kTableDenied || error.code() == kDatabaseDenied;
}

// MySQL has no CREATE INDEX IF NOT EXISTS: an index that a cut-short run left behind is fine.
constexpr int kIndexExists = 1061;

/// One node migrates a MySQL database at a time; SQLite's transaction does that by itself.
class MigrationLock {
 public:
  explicit MigrationLock(Connection& connection) : connection_(connection) {
    if (connection_.dialect() == Dialect::sqlite) return;
    // Asked for a second at a time: a longer silence would count as a lost connection.
    for (int tries = 0; !held_ && tries < kPatienceS; ++tries) {
      connection_.query("SELECT GET_LOCK(CONCAT('tipflow-', LEFT(SHA2(DATABASE(), 256), 40)), 1)",
                        {},
                        [this](const Row& row) { held_ = !row.isNull(0) && row.integer(0) == 1; });
    }
    if (!held_) throw Error(0, "another node has been migrating this database for a minute");
  }
  ~MigrationLock() {
    if (!held_) return;
    try {
      connection_.query("SELECT RELEASE_LOCK(CONCAT('tipflow-', LEFT(SHA2(DATABASE(), 256), 40)))",
                        {}, [](const Row&) {});
    } catch (const Error&) {
      // The lock ends with the connection.
    }
  }
  MigrationLock(const MigrationLock&) = delete;
  MigrationLock& operator=(const MigrationLock&) = delete;

 private:
  static constexpr int kPatienceS = 60;
  Connection& connection_;
  bool held_ = false;
};

/// Whether there is nothing to do: then no right to change the schema is needed.
bool upToDate(Connection& connection, const std::vector<Migration>& migrations) {
  std::set<int> applied;
  try {
    connection.query("SELECT number FROM schema_migration", {},
                     [&](const Row& row) { applied.insert(static_cast<int>(row.integer(0))); });
  } catch (const Unavailable&) {
    throw;
  } catch (const ConnectionLost&) {
    throw;
  } catch (const Error&) {
    return false;  // a new database
  }
  return applied.size() == migrations.size() &&
         std::all_of(migrations.begin(), migrations.end(),
                     [&](const Migration& each) { return applied.contains(each.number); });
}

void applyOne(Connection& connection, const std::string& sql) {
  try {
    connection.exec(sql);
  } catch (const Error& error) {
    if (connection.dialect() != Dialect::mysql || error.code() != kIndexExists) throw;
  }
}

}  // namespace

std::vector<std::string> statements(std::string_view sql, Dialect dialect) {
  std::string text = withoutComments(sql);
  for (const auto& [from, to] : dialect == Dialect::sqlite ? kSqliteWords : kMysqlWords) {
    replaceAll(text, from, to);
  }
  std::vector<std::string> result;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find(';', at), text.size());
    const auto statement = text.substr(at, end - at);
    if (statement.find_first_not_of(" \n\t") != std::string::npos) result.push_back(statement);
    at = end + 1;
  }
  return result;
}

std::vector<Migration> embeddedMigrations(std::string_view folder) {
  std::vector<Migration> result;
  const auto prefix = fmt::format("sql/{}/", folder);
  for (const auto& [path, text] : embeddedFiles()) {
    if (!path.starts_with(prefix)) continue;
    const auto name = path.substr(prefix.size());
    int number = 0;
    std::from_chars(name.data(), name.data() + name.size(), number);
    result.push_back({number, std::string(name), std::string(text)});
  }
  std::sort(result.begin(), result.end(),
            [](const Migration& a, const Migration& b) { return a.number < b.number; });
  return result;
}

namespace {

std::vector<std::string> applyMissing(Connection& connection,
                                      const std::vector<Migration>& migrations, Time now) {
  const auto dialect = connection.dialect();
  const MigrationLock lock(connection);
  for (const auto& sql :
       statements("CREATE TABLE IF NOT EXISTS schema_migration (number INT NOT NULL PRIMARY KEY, "
                  "name VARCHAR(128) NOT NULL, applied_at BIGINT NOT NULL)${TABLE}",
                  dialect)) {
    connection.exec(sql);
  }
  int newest = 0;
  connection.query("SELECT COALESCE(MAX(number), 0) FROM schema_migration", {},
                   [&](const Row& row) { newest = static_cast<int>(row.integer(0)); });
  if (newest > (migrations.empty() ? 0 : migrations.back().number)) {
    throw Error(0, fmt::format("the schema is at {}, newer than this release knows", newest));
  }
  std::vector<std::string> done;
  for (const auto& migration : migrations) {
    // SQLite changes its schema in the transaction; MySQL commits each statement, so a migration
    // that was cut short there is repeated and its statements must stand being repeated.
    connection.begin();
    try {
      bool applied = false;
      connection.query("SELECT 1 FROM schema_migration WHERE number = ?", {migration.number},
                       [&](const Row&) { applied = true; });
      if (applied) {
        connection.rollback();
        continue;
      }
      for (const auto& sql : statements(migration.sql, dialect)) applyOne(connection, sql);
      connection.exec("INSERT INTO schema_migration (number, name, applied_at) VALUES (?, ?, ?)" +
                          orKeep(dialect, "number"),
                      {migration.number, migration.name, now});
      connection.commit();
    } catch (...) {
      connection.rollback();
      throw;
    }
    done.push_back(migration.name);
  }
  return done;
}

}  // namespace

std::vector<std::string> migrate(Connection& connection, const std::vector<Migration>& migrations,
                                 Time now) {
  if (upToDate(connection, migrations)) return {};
  try {
    return applyMissing(connection, migrations, now);
  } catch (const Error& error) {
    if (connection.dialect() != Dialect::mysql || !mayNot(error)) throw;
    throw Error(error.code(),
                fmt::format("the schema is behind this release and this account may not change it: "
                            "run `tipflow migrate` with one that may ({})",
                            error.what()));
  }
}

}  // namespace tipflow::db
