#include "platform/db/mysql_bulk.h"

#include <algorithm>

#include "platform/db/mysql_error.h"

namespace tipflow::db {

BulkInsert::BulkInsert(MYSQL* handle, std::string_view head, std::size_t columns,
                       std::string_view tail)
    : sql_(head), statement_(mysql_stmt_init(handle)), columns_(columns), binds_(columns) {
  sql_ += " VALUES (?";
  for (std::size_t i = 1; i < columns; ++i) sql_ += ",?";
  sql_ += ')';
  sql_ += tail;
  if (mysql_stmt_prepare(statement_.get(), sql_.data(), sql_.size()) != 0) {
    failMysql(mysql_stmt_errno(statement_.get()), mysql_stmt_error(statement_.get()), sql_);
  }
}

bool BulkInsert::supported(MYSQL* handle) {
  // Those of MariaDB's own, which start at bit 32; the library writes a whole long.
  unsigned long capabilities = 0;
  return mariadb_get_infov(handle, MARIADB_CONNECTION_EXTENDED_SERVER_CAPABILITIES,
                           &capabilities) == 0 &&
         (capabilities & (MARIADB_CLIENT_STMT_BULK_OPERATIONS >> 32)) != 0;
}

bool BulkInsert::run(std::span<const Param> values) {
  if (!fill(values)) return false;
  bind(values.size() / columns_.size());
  auto* statement = statement_.get();
  if (mysql_stmt_execute(statement) != 0) {
    failMysql(mysql_stmt_errno(statement), mysql_stmt_error(statement), sql_);
  }
  return true;
}

BulkInsert::Kind BulkInsert::kindOf(const Param& param) {
  struct Visitor {
    Kind operator()(std::nullptr_t) const { return Kind::null; }
    Kind operator()(std::int64_t) const { return Kind::integer; }
    Kind operator()(std::string_view) const { return Kind::text; }
    Kind operator()(const Bytes&) const { return Kind::bytes; }
    Kind operator()(const TraceId&) const { return Kind::bytes; }
  };
  return std::visit(Visitor{}, param.value());
}

bool BulkInsert::fill(std::span<const Param> values) {
  const auto rows = values.size() / columns_.size();
  traceIds_.clear();
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    auto& column = columns_[c];
    column.kind = Kind::null;
    column.hasNull = false;
    column.indicators.assign(rows, STMT_INDICATOR_NONE);
    for (std::size_t row = 0; row < rows; ++row) {
      const auto& param = values[row * columns_.size() + c];
      const Kind kind = kindOf(param);
      if (kind == Kind::null) {
        column.hasNull = true;
        column.indicators[row] = STMT_INDICATOR_NULL;
        continue;
      }
      if (column.kind == Kind::null) {
        column.kind = kind;
        column.integers.resize(kind == Kind::integer ? rows : 0);
        column.places.resize(kind == Kind::integer ? 0 : rows);
        column.lengths.resize(kind == Kind::integer ? 0 : rows);
      } else if (column.kind != kind) {
        return false;
      }
      put(column, row, param);
    }
  }
  return true;
}

void BulkInsert::put(Column& column, std::size_t row, const Param& param) {
  const auto putText = [&](std::string_view text) {
    column.places[row] = text.data() != nullptr ? text.data() : "";
    column.lengths[row] = text.size();
  };
  struct Visitor {
    Column& column;
    std::size_t row;
    std::deque<std::array<char, 16>>& traceIds;
    decltype(putText)& text;
    void operator()(std::nullptr_t) const {}
    void operator()(std::int64_t v) const { column.integers[row] = v; }
    void operator()(std::string_view v) const { text(v); }
    void operator()(const Bytes& v) const { text(v.data); }
    void operator()(const TraceId& v) const {
      const auto bytes = v.bytes();
      auto& kept = traceIds.emplace_back();
      std::copy(bytes.begin(), bytes.end(), kept.begin());
      text({kept.data(), kept.size()});
    }
  };
  std::visit(Visitor{column, row, traceIds_, putText}, param.value());
}

void BulkInsert::bind(std::size_t rows) {
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    auto& column = columns_[c];
    auto& bind = binds_[c] = {};
    switch (column.kind) {
      case Kind::null:
        bind.buffer_type = MYSQL_TYPE_NULL;
        break;
      case Kind::integer:
        bind.buffer_type = MYSQL_TYPE_LONGLONG;
        bind.buffer = column.integers.data();
        break;
      case Kind::text:
      case Kind::bytes:
        bind.buffer_type = column.kind == Kind::text ? MYSQL_TYPE_STRING : MYSQL_TYPE_BLOB;
        bind.buffer = column.places.data();
        bind.length = column.lengths.data();
        break;
    }
    if (column.hasNull) bind.u.indicator = column.indicators.data();
  }
  auto size = static_cast<unsigned>(rows);
  mysql_stmt_attr_set(statement_.get(), STMT_ATTR_ARRAY_SIZE, &size);
  if (mysql_stmt_bind_param(statement_.get(), binds_.data()) != 0) {
    failMysql(mysql_stmt_errno(statement_.get()), mysql_stmt_error(statement_.get()), sql_);
  }
}

}  // namespace tipflow::db
