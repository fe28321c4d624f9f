// A fresh database for a test, on SQLite or on MariaDB, and what tests read from it as an auditor
// would: whole rows and sums, by SQL of their own.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "platform/db/connection.h"

namespace tipflow::fixture {

enum class Engine { SQLite, MariaDB };

inline constexpr std::array kBoth{Engine::SQLite, Engine::MariaDB};

std::string engineName(const ::testing::TestParamInfo<Engine>& info);
void PrintTo(Engine engine, std::ostream* out);

/// Runs every TEST_P of `Suite` on both engines.
#define TIPFLOW_ON_BOTH(Suite) \
  INSTANTIATE_TEST_SUITE_P(, Suite, ::testing::ValuesIn(fixture::kBoth), fixture::engineName)

/// A database that no other test has seen.
class TestDatabase {
 public:
  /// `schema`: a folder of `sql/`, brought to its current state, or nothing for an empty database.
  explicit TestDatabase(Engine engine, std::string_view schema = {});

  [[nodiscard]] const db::Url& url() const { return url_; }
  [[nodiscard]] std::unique_ptr<db::Connection> connect() const { return db::connect(url_); }

 private:
  db::Url url_;
};

/// Makes tables from SQL with the dialect words of the migrations, such as ${AUTO_ID}.
void make(db::Connection& connection, std::string_view sql);

/// `SELECT columns FROM rest`: each row as text, its columns parted by `|`, NULL shown as such.
std::vector<std::string> rows(db::Connection& connection, const std::vector<std::string>& columns,
                              std::string_view rest);
/// The one number that `sql` answers.
std::int64_t number(db::Connection& connection, std::string_view sql);
/// Every row of the tables, each behind the name of its table: equal when nothing changed.
std::vector<std::string> dump(db::Connection& connection, const std::vector<std::string>& tables);

/// Runs `work(0)` … `work(count - 1)` on threads of their own that all start together, and waits
/// for them. Throws on what the first of them threw.
void atOnce(int count, const std::function<void(int)>& work);

/// Looks at `condition` until it holds; false when it does not within ten seconds.
bool eventually(const std::function<bool()>& condition,
                std::chrono::milliseconds every = std::chrono::milliseconds(5));

/// How many transactions of the MariaDB wait for a lock, or are open at all.
std::int64_t waitingForLocks(db::Connection& connection);
std::int64_t openTransactions(db::Connection& connection);
/// InnoDB renews what the two above show only when nobody has looked for a tenth of a second.
inline constexpr std::chrono::milliseconds kInnodbShowsEvery{120};

}  // namespace tipflow::fixture
