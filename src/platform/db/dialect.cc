#include "platform/db/dialect.h"

#include <fmt/format.h>

namespace tipflow::db {
namespace {

std::string upsert(Dialect dialect, std::string_view key,
                   std::initializer_list<std::string_view> columns, bool add) {
  std::string tail = dialect == Dialect::mysql
                         ? std::string(" ON DUPLICATE KEY UPDATE ")
                         : fmt::format(" ON CONFLICT({}) DO UPDATE SET ", key);
  std::string_view separator;
  for (const auto column : columns) {
    const auto value = dialect == Dialect::mysql ? fmt::format("VALUES({})", column)
                                                 : fmt::format("excluded.{}", column);
    tail += add ? fmt::format("{}{} = {} + {}", separator, column, column, value)
                : fmt::format("{}{} = {}", separator, column, value);
    separator = ", ";
  }
  return tail;
}

}  // namespace

std::string upsertAdd(Dialect dialect, std::string_view key,
                      std::initializer_list<std::string_view> columns) {
  return upsert(dialect, key, columns, true);
}

std::string upsertSet(Dialect dialect, std::string_view key,
                      std::initializer_list<std::string_view> columns) {
  return upsert(dialect, key, columns, false);
}

std::string orKeep(Dialect dialect, std::string_view key) {
  if (dialect == Dialect::sqlite) return fmt::format(" ON CONFLICT({}) DO NOTHING", key);
  const auto first = key.substr(0, key.find(','));
  return fmt::format(" ON DUPLICATE KEY UPDATE {} = {}", first, first);
}

}  // namespace tipflow::db
