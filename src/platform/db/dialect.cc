#include "platform/db/dialect.h"

#include <fmt/format.h>

#include <vector>

namespace tipflow::db {
namespace {

std::string merged(Dialect dialect, const MergedColumn& column) {
  const auto name = column.name;
  const bool mysql = dialect == Dialect::mysql;
  const auto value = mysql ? fmt::format("VALUES({})", name) : fmt::format("excluded.{}", name);
  switch (column.merge) {
    case Merge::add:
      return fmt::format("{} = {} + {}", name, name, value);
    case Merge::set:
      return fmt::format("{} = {}", name, value);
    case Merge::least:
      return fmt::format("{} = {}({}, {})", name, mysql ? "LEAST" : "MIN", name, value);
    case Merge::greatest:
      return fmt::format("{} = {}({}, {})", name, mysql ? "GREATEST" : "MAX", name, value);
  }
  return {};
}

template <class Columns>
std::string tailOf(Dialect dialect, std::string_view key, const Columns& columns) {
  std::string tail = dialect == Dialect::mysql
                         ? std::string(" ON DUPLICATE KEY UPDATE ")
                         : fmt::format(" ON CONFLICT({}) DO UPDATE SET ", key);
  std::string_view separator;
  for (const auto& column : columns) {
    tail += separator;
    tail += merged(dialect, column);
    separator = ", ";
  }
  return tail;
}

std::string tailOf(Dialect dialect, std::string_view key,
                   std::initializer_list<std::string_view> names, Merge merge) {
  std::vector<MergedColumn> columns;
  for (const auto name : names) columns.push_back({name, merge});
  return tailOf(dialect, key, columns);
}

}  // namespace

std::string upsert(Dialect dialect, std::string_view key,
                   std::initializer_list<MergedColumn> columns) {
  return tailOf(dialect, key, columns);
}

std::string upsertAdd(Dialect dialect, std::string_view key,
                      std::initializer_list<std::string_view> columns) {
  return tailOf(dialect, key, columns, Merge::add);
}

std::string upsertSet(Dialect dialect, std::string_view key,
                      std::initializer_list<std::string_view> columns) {
  return tailOf(dialect, key, columns, Merge::set);
}

std::string orKeep(Dialect dialect, std::string_view key) {
  if (dialect == Dialect::sqlite) return fmt::format(" ON CONFLICT({}) DO NOTHING", key);
  const auto first = key.substr(0, key.find(','));
  return fmt::format(" ON DUPLICATE KEY UPDATE {} = {}", first, first);
}

}  // namespace tipflow::db
