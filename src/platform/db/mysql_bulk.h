// Multi-row INSERTs through MariaDB's bulk protocol: the server parses the statement once, and rows
// come as arrays of columns. One statement and one transaction like its text form, at two thirds of
// the server's time. Servers that do not speak it (MySQL, TiDB) get text.
#pragma once

#include <mysql.h>

#include <array>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "platform/db/connection.h"

namespace tipflow::db {

class BulkInsert {
 public:
  /// `head` such as `INSERT INTO t (a, b)`, `tail` an upsert or nothing. Throws Error when the
  /// server does not take it.
  BulkInsert(MYSQL* handle, std::string_view head, std::size_t columns, std::string_view tail);

  /// Whether the server at the other end speaks the protocol.
  static bool supported(MYSQL* handle);

  /// Inserts all rows or none; false, and nothing was sent, when a column mixes integers and bytes.
  /// Throws as Connection::insertRows does.
  bool run(std::span<const Param> values);

 private:
  enum class Kind { null, integer, text, bytes };

  /// One column of all rows, as the client library wants it.
  struct Column {
    Kind kind = Kind::null;
    bool hasNull = false;
    std::vector<std::int64_t> integers;
    std::vector<const char*> places;
    std::vector<unsigned long> lengths;
    std::vector<char> indicators;
  };

  static Kind kindOf(const Param& param);
  bool fill(std::span<const Param> values);
  void put(Column& column, std::size_t row, const Param& param);
  void bind(std::size_t rows);

  struct Close {
    void operator()(MYSQL_STMT* statement) const { mysql_stmt_close(statement); }
  };
  std::string sql_;
  std::unique_ptr<MYSQL_STMT, Close> statement_;
  std::vector<Column> columns_;
  std::vector<MYSQL_BIND> binds_;
  std::deque<std::array<char, 16>> traceIds_;  // a deque: what points into it stays
};

}  // namespace tipflow::db
