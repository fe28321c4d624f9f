// Values in SQL: a server reads from a statement exactly the values that were given, in their
// places, and nothing else; SQLite gives back what was put in. Input: the number of columns as a
// byte, then values behind a byte 0x1E each: `t` text, `b` bytes, `i` an integer, `d` a trace id,
// anything else NULL.
#include <charconv>
#include <cstring>
#include <vector>

#include "platform/db/connection.h"
#include "property.h"
#include "sent_statements.h"
#include "sql_literals.h"

namespace tipflow::db {
namespace {

using fuzz::Literal;
using fuzz::require;

std::int64_t integerOf(std::string_view text) {
  std::int64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc{}) {
    std::memcpy(&value, text.data(), std::min(text.size(), sizeof value));
  }
  return value;
}

TraceId traceIdOf(std::string_view text) {
  std::string bytes(text.substr(0, 16));
  bytes.resize(16);
  return TraceId::fromBytes(bytes);
}

// A value as it is given, and what a database must understand of it.
struct Value {
  Param given;
  Literal meant;
};

Value valueOf(std::string_view part) {
  const char kind = part.empty() ? 'n' : part.front();
  const auto rest = part.empty() ? part : part.substr(1);
  switch (kind) {
    case 't':
      return {rest, std::string(rest)};
    case 'b':
      return {Bytes{rest}, std::string(rest)};
    case 'i':
      return {integerOf(rest), integerOf(rest)};
    case 'd': {
      const auto bytes = traceIdOf(rest).bytes();
      return {traceIdOf(rest), std::string(bytes.data(), bytes.size())};
    }
    default:
      return {nullptr, nullptr};
  }
}

void expect(std::string_view& sql, std::string_view text) {
  require(sql.starts_with(text), "between the values stands only what was asked for");
  sql.remove_prefix(text.size());
}

void checkInsert(Connection& mysql, std::size_t columns, std::span<const Param> given,
                 std::span<const Literal> meant) {
  mysql.insertRows("INSERT INTO t (a)", columns, given, " ON DUPLICATE KEY UPDATE a = a");
  std::string_view sql = fuzz::lastStatement();
  expect(sql, "INSERT INTO t (a) VALUES ");
  for (std::size_t i = 0; i < meant.size(); ++i) {
    expect(sql, i % columns != 0 ? "," : (i == 0 ? "(" : "),("));
    require(fuzz::takeLiteral(sql) == meant[i], "a server reads the value that was given");
  }
  expect(sql, ") ON DUPLICATE KEY UPDATE a = a");
  require(sql.empty(), "nothing stands behind the statement");
}

void checkExec(Connection& mysql, std::span<const Param> given, std::span<const Literal> meant) {
  std::string text = "SELECT 1";
  for (std::size_t i = 0; i < given.size(); ++i) text += " + ?";
  mysql.exec(text, given);
  std::string_view sql = fuzz::lastStatement();
  expect(sql, "SELECT 1");
  for (const auto& value : meant) {
    expect(sql, " + ");
    require(fuzz::takeLiteral(sql) == value, "a server reads the value that was given");
  }
  require(sql.empty(), "nothing stands behind the statement");
}

Literal literalOf(const Row& row, int column) {
  if (row.isNull(column)) return nullptr;
  try {
    return row.integer(column);
  } catch (const Error&) {
    return std::string(row.text(column));
  }
}

void checkSqlite(Connection& sqlite, std::span<const Param> given, std::span<const Literal> meant) {
  sqlite.exec("DELETE FROM t");
  sqlite.insertRows("INSERT INTO t (value)", 1, given, "");
  std::size_t place = 0;
  sqlite.query("SELECT value FROM t ORDER BY rowid", {}, [&](const Row& row) {
    require(place < meant.size() && literalOf(row, 0) == meant[place],
            "SQLite gives back what was put in");
    ++place;
  });
  require(place == meant.size(), "SQLite keeps every value");
}

void check(std::string_view input) {
  static const auto mysql = connect(Url::parse("mysql://u@h/d"));
  static const auto sqlite = [] {
    auto connection = connect(Url::parse("sqlite::memory:"));
    connection->exec("CREATE TABLE t (value)");
    return connection;
  }();
  if (input.size() < 2) return;
  const auto columns = static_cast<unsigned char>(input.front()) % 4 + std::size_t{1};
  input.remove_prefix(1);
  std::vector<Param> given;
  std::vector<Literal> meant;
  while (!input.empty()) {
    auto value = valueOf(fuzz::take(input, '\x1e'));
    given.push_back(value.given);
    meant.push_back(std::move(value.meant));
  }
  checkExec(*mysql, given, meant);
  checkSqlite(*sqlite, given, meant);
  const auto whole = given.size() / columns * columns;
  if (whole > 0) {
    checkInsert(*mysql, columns, std::span(given).first(whole), std::span(meant).first(whole));
  }
}

}  // namespace
}  // namespace tipflow::db

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tipflow::db::check(tipflow::fuzz::asText(data, size));
  return 0;
}
