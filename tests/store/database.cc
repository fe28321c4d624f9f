#include "store/database.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "platform/db/migrate.h"
#include "store/mariadb.h"
#include "store/scratch.h"

namespace tipflow::fixture {
namespace {

constexpr std::chrono::seconds kEventually{10};

}  // namespace

std::string engineName(const ::testing::TestParamInfo<Engine>& info) {
  return info.param == Engine::SQLite ? "SQLite" : "MariaDB";
}

void PrintTo(Engine engine, std::ostream* out) {
  *out << (engine == Engine::SQLite ? "SQLite" : "MariaDB");
}

TestDatabase::TestDatabase(Engine engine, std::string_view schema) {
  if (engine == Engine::MariaDB) {
    url_ = MariaDb::running().newDatabase();
  } else {
    static std::atomic<int> made = 0;
    url_.dialect = db::Dialect::sqlite;
    url_.file = (scratch() / fmt::format("{}.sqlite", ++made)).string();
  }
  if (schema.empty()) return;
  const auto connection = connect();
  db::migrate(*connection, db::embeddedMigrations(schema), SystemClock{}.now());
}

void make(db::Connection& connection, std::string_view sql) {
  for (const auto& statement : db::statements(sql, connection.dialect())) {
    connection.exec(statement);
  }
}

std::vector<std::string> rows(db::Connection& connection, const std::vector<std::string>& columns,
                              std::string_view rest) {
  std::vector<std::string> found;
  connection.query(fmt::format("SELECT {} FROM {}", fmt::join(columns, ", "), rest), {},
                   [&](const db::Row& row) {
                     std::string& text = found.emplace_back();
                     for (int i = 0; i < static_cast<int>(columns.size()); ++i) {
                       if (i > 0) text += '|';
                       text += row.isNull(i) ? std::string_view("NULL") : row.text(i);
                     }
                   });
  return found;
}

std::int64_t number(db::Connection& connection, std::string_view sql) {
  std::vector<std::int64_t> found;
  connection.query(sql, {}, [&](const db::Row& row) { found.push_back(row.integer(0)); });
  if (found.size() != 1) throw std::logic_error(fmt::format("not one row: {}", sql));
  return found.front();
}

std::vector<std::string> dump(db::Connection& connection, const std::vector<std::string>& tables) {
  std::vector<std::string> all;
  for (const auto& table : tables) {
    std::vector<std::string> columns;
    const bool sqlite = connection.dialect() == db::Dialect::sqlite;
    connection.query(sqlite ? "SELECT name FROM pragma_table_info(?)"
                            : "SELECT column_name FROM information_schema.columns "
                              "WHERE table_schema = DATABASE() AND table_name = ? "
                              "ORDER BY ordinal_position",
                     {table}, [&](const db::Row& row) { columns.emplace_back(row.text(0)); });
    if (columns.empty()) throw std::logic_error("there is no table " + table);
    for (const auto& row : rows(connection, columns, table)) {
      all.push_back(fmt::format("{}: {}", table, row));
    }
  }
  std::sort(all.begin(), all.end());
  return all;
}

void atOnce(int count, const std::function<void(int)>& work) {
  std::barrier start(count);
  std::mutex mutex;
  std::exception_ptr first;
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      start.arrive_and_wait();
      try {
        work(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!first) first = std::current_exception();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  if (first) std::rethrow_exception(first);
}

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds every) {
  const auto deadline = std::chrono::steady_clock::now() + kEventually;
  for (;;) {
    if (condition()) return true;
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(every);
  }
}

std::int64_t waitingForLocks(db::Connection& connection) {
  return number(connection,
                "SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'");
}

std::int64_t openTransactions(db::Connection& connection) {
  return number(connection, "SELECT COUNT(*) FROM information_schema.innodb_trx");
}

}  // namespace tipflow::fixture
