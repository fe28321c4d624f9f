// One connection to a database, SQLite or MySQL protocol, behind one interface. Synchronous: it is
// used on threads of its own, never on an event loop. SQL is written once with `?` places; the
// statements that differ are built by dialect.h.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/money.h"
#include "base/time.h"
#include "base/trace_id.h"

namespace tipflow::db {

enum class Dialect { sqlite, mysql };

/// Any failure of the database; the subclasses say what is known about what was done.
class Error : public std::runtime_error {
 public:
  Error(int code, const std::string& what) : std::runtime_error(what), code_(code) {}
  [[nodiscard]] int code() const { return code_; }

 private:
  int code_;
};
/// A unique key refused the statement; all of it did nothing.
class DuplicateKey : public Error {
  using Error::Error;
};
/// The statement (and its transaction) certainly did nothing; the same may succeed when tried
/// again.
class RolledBack : public Error {
  using Error::Error;
};
/// The connection is gone; whether the last statement took effect is not known.
class ConnectionLost : public Error {
  using Error::Error;
};
/// No connection, or a server that takes nothing on it: nothing was done, it is to be given up.
class Unavailable : public Error {
  using Error::Error;
};

struct Bytes {
  std::string_view data;
};

/// A value for a `?`. Text and bytes are viewed, not copied.
class Param {
 public:
  using Value = std::variant<std::nullptr_t, std::int64_t, std::string_view, Bytes, TraceId>;

  Param(std::nullptr_t) : value_(nullptr) {}
  template <class T>
    requires std::is_integral_v<T>
  Param(T v) : value_(static_cast<std::int64_t>(v)) {}
  template <class T>
    requires std::is_enum_v<T>
  Param(T v) : value_(static_cast<std::int64_t>(v)) {}
  template <class Tag>
  Param(Id<Tag> v) : value_(v.value) {}
  template <class Tag>
  Param(Amount<Tag> v) : value_(v.value) {}
  Param(BasisPoints v) : value_(std::int64_t{v.value}) {}
  Param(Time v) : value_(v.us) {}
  Param(const TraceId& v) : value_(v) {}
  Param(std::string_view v) : value_(v) {}
  Param(const std::string& v) : value_(std::string_view(v)) {}
  Param(const char* v) : value_(std::string_view(v)) {}
  Param(Bytes v) : value_(v) {}
  template <class T>
  Param(const std::optional<T>& v) : Param(v ? Param(*v) : Param(nullptr)) {}

  [[nodiscard]] const Value& value() const { return value_; }

 private:
  Value value_;
};

/// One row of a result; valid only inside the callback that got it.
class Row {
 public:
  virtual ~Row() = default;
  [[nodiscard]] virtual bool isNull(int column) const = 0;
  /// Throws Error when it is none, NULL included.
  [[nodiscard]] virtual std::int64_t integer(int column) const = 0;
  [[nodiscard]] virtual std::string_view text(int column) const = 0;

  template <class T>
  [[nodiscard]] T id(int column) const {
    return T{integer(column)};
  }
  [[nodiscard]] Time time(int column) const { return Time{integer(column)}; }
  [[nodiscard]] std::optional<Time> optionalTime(int column) const {
    return isNull(column) ? std::nullopt : std::optional(time(column));
  }
  [[nodiscard]] std::optional<std::int64_t> optionalInteger(int column) const {
    return isNull(column) ? std::nullopt : std::optional(integer(column));
  }
};

struct ExecResult {
  std::int64_t matched = 0;  ///< rows that matched, changed or not (MySQL's CLIENT_FOUND_ROWS)
  std::int64_t lastId = 0;
};

using RowHandler = std::function<void(const Row&)>;

class Connection {
 public:
  virtual ~Connection() = default;
  [[nodiscard]] virtual Dialect dialect() const = 0;

  virtual ExecResult exec(std::string_view sql, std::span<const Param> params) = 0;
  virtual void query(std::string_view sql, std::span<const Param> params,
                     const RowHandler& onRow) = 0;
  /// `head` such as `INSERT INTO t (a, b)`, then `columns` values a row, then `tail` (an upsert or
  /// nothing). One transaction of its own when none is open: all rows or none. No values: nothing.
  virtual void insertRows(std::string_view head, std::size_t columns, std::span<const Param> values,
                          std::string_view tail) = 0;

  virtual void begin() = 0;
  /// A read-only transaction in which every read sees one instant.
  virtual void beginSnapshot() = 0;
  virtual void commit() = 0;
  /// Never throws; also right when nothing is open. Where the server did not say yes, the
  /// connection takes no more statements: what is open on it must not become part of the next
  /// transaction.
  virtual void rollback() noexcept = 0;
  /// Names this connection to the server (MySQL's connection id); 0 where there is no server.
  [[nodiscard]] virtual std::int64_t serverId() const = 0;
  /// The database's clock.
  virtual Time now() = 0;

  ExecResult exec(std::string_view sql, std::initializer_list<Param> params = {}) {
    return exec(sql, std::span(params.begin(), params.size()));
  }
  void query(std::string_view sql, std::initializer_list<Param> params, const RowHandler& onRow) {
    query(sql, std::span(params.begin(), params.size()), onRow);
  }
};

/// What a URL such as `sqlite:/var/lib/tipflow/db1.sqlite` or `mysql://user:pw@host:3306/tipflow1`
/// says. Throws std::invalid_argument with what is wrong.
struct Url {
  Dialect dialect = Dialect::sqlite;
  std::string file;
  std::string user;
  std::string password;
  std::string host;
  int port = 3306;
  std::string database;

  static Url parse(std::string_view text);
  /// For logs: without the password.
  [[nodiscard]] std::string shown() const;
};

/// URLs separated by commas, each of a server. Throws std::invalid_argument with what is wrong.
std::vector<Url> replicaUrls(std::string_view text);

/// How long a server may take to answer a statement before the connection counts as lost.
inline constexpr Duration kAnswerTimeout{20 * kUsPerSecond};

/// Opens a connection. Throws Unavailable when nobody answers.
std::unique_ptr<Connection> connect(const Url& url, Duration answerTimeout = kAnswerTimeout);

std::unique_ptr<Connection> connectMysql(const Url& url, Duration answerTimeout);
std::unique_ptr<Connection> connectSqlite(const Url& url);

/// Runs `work(connection)` in a transaction; when it was rolled back by the database (deadlock,
/// lock wait) runs it again, at most `attempts` times. Everything else rolls back and is thrown on.
template <class Work>
auto transact(Connection& connection, Work&& work, int attempts = 5) -> decltype(work(connection));

}  // namespace tipflow::db

#include "platform/db/transact.h"
