#include "sql_literals.h"

#include <charconv>

namespace tipflow::fuzz {
namespace {

bool takeWord(std::string_view& sql, std::string_view word) {
  if (!sql.starts_with(word)) return false;
  sql.remove_prefix(word.size());
  return true;
}

int digitOf(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Pairs of digits, up to the first byte that is none.
std::optional<std::string> takeHex(std::string_view& sql) {
  std::string bytes;
  while (!sql.empty() && digitOf(sql[0]) >= 0) {
    if (sql.size() < 2 || digitOf(sql[1]) < 0) return std::nullopt;
    bytes += static_cast<char>(digitOf(sql[0]) * 16 + digitOf(sql[1]));
    sql.remove_prefix(2);
  }
  return bytes;
}

char unescaped(char c) {
  switch (c) {
    case '0':
      return '\0';
    case 'b':
      return '\b';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'Z':
      return '\x1a';
    default:
      return c;
  }
}

// What follows an opening quote, and the closing one.
std::optional<std::string> takeQuoted(std::string_view& sql) {
  std::string text;
  while (!sql.empty()) {
    const char c = sql.front();
    sql.remove_prefix(1);
    if (c == '\'') {
      if (!takeWord(sql, "'")) return text;
      text += '\'';
    } else if (c == '\\') {
      if (sql.empty()) return std::nullopt;
      text += unescaped(sql.front());
      sql.remove_prefix(1);
    } else {
      text += c;
    }
  }
  return std::nullopt;
}

std::optional<Literal> takeInteger(std::string_view& sql) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(sql.data(), sql.data() + sql.size(), value);
  if (error != std::errc{}) return std::nullopt;
  sql.remove_prefix(static_cast<std::size_t>(end - sql.data()));
  return value;
}

}  // namespace

std::optional<Literal> takeLiteral(std::string_view& sql) {
  if (takeWord(sql, "NULL")) return nullptr;
  if (!takeWord(sql, "_utf8mb4 ")) takeWord(sql, "_binary ");
  if (takeWord(sql, "'")) return takeQuoted(sql);
  if (takeWord(sql, "0x")) return takeHex(sql);
  if (!takeWord(sql, "x'") && !takeWord(sql, "X'")) return takeInteger(sql);
  auto bytes = takeHex(sql);
  if (!bytes || !takeWord(sql, "'")) return std::nullopt;
  return bytes;
}

}  // namespace tipflow::fuzz
