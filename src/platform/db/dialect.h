// The few statements that are not the same in both dialects.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "platform/db/connection.h"

namespace tipflow::db {

/// What becomes of a column when a row is there already.
enum class Merge { add, set, least, greatest };
struct MergedColumn {
  std::string_view name;
  Merge merge;
};
/// Tail of an INSERT: on a row with the same `key`, merges the new values of `columns` into the
/// old.
std::string upsert(Dialect dialect, std::string_view key,
                   std::initializer_list<MergedColumn> columns);
/// Tail of an INSERT: on a row with the same `key`, adds the new values of `columns` to the old.
std::string upsertAdd(Dialect dialect, std::string_view key,
                      std::initializer_list<std::string_view> columns);
/// Tail of an INSERT: on a row with the same `key`, sets `columns` to the new values.
std::string upsertSet(Dialect dialect, std::string_view key,
                      std::initializer_list<std::string_view> columns);
/// Tail of an INSERT: on a row with the same `key`, leaves it as it is. Never for tips.
std::string orKeep(Dialect dialect, std::string_view key);
/// Tail of a SELECT in a transaction: nobody else changes these rows before it ends. SQLite has one
/// writer at a time and needs nothing.
inline std::string_view forUpdate(Dialect dialect) {
  return dialect == Dialect::mysql ? " FOR UPDATE" : "";
}
/// As forUpdate, but several may hold it together.
inline std::string_view forShare(Dialect dialect) {
  return dialect == Dialect::mysql ? " LOCK IN SHARE MODE" : "";
}

}  // namespace tipflow::db
