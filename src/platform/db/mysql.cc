// The MySQL protocol behind db::Connection, through MariaDB Connector/C. Values go into the text of
// a statement as integers and hexadecimal literals only, so no value can be read as SQL; rows of a
// multi-row INSERT go as arrays where the server takes them (mysql_bulk.h).
#include <mysql.h>

#include <fmt/format.h>

#include <charconv>
#include <map>

#include "platform/db/connection.h"
#include "platform/db/mysql_bulk.h"
#include "platform/db/mysql_error.h"

namespace tipflow::db {
namespace {

constexpr unsigned kConnectTimeoutS = 2;

constexpr unsigned kUnknownVariable = 1193;  // ER_UNKNOWN_SYSTEM_VARIABLE

// Of Galera: what other nodes have committed before is seen, also right after moving to this one.
// Without it a read may be old, a counter of AUTO_INCREMENT too.
constexpr std::string_view kSeeWhatIsCommitted = "SET SESSION wsrep_sync_wait=7";

constexpr const char* kSessionSetup =
    "SET SESSION sql_mode='STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO', "
    "time_zone='+00:00', innodb_lock_wait_timeout=5";

void appendHex(std::string& out, std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  out += "x'";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kDigits[byte >> 4];
    out += kDigits[byte & 0xF];
  }
  out += '\'';
}

void append(std::string& out, const Param& param) {
  struct Appender {
    std::string& out;
    void operator()(std::nullptr_t) const { out += "NULL"; }
    void operator()(std::int64_t v) const {
      char digits[24];
      const auto end = std::to_chars(digits, digits + sizeof digits, v).ptr;
      out.append(digits, end);
    }
    void operator()(std::string_view v) const {
      if (v.empty()) {
        out += "''";
        return;
      }
      out += "_utf8mb4 ";
      appendHex(out, v);
    }
    void operator()(Bytes v) const { appendHex(out, v.data); }
    void operator()(const TraceId& v) const {
      const auto bytes = v.bytes();
      appendHex(out, {bytes.data(), bytes.size()});
    }
  };
  std::visit(Appender{out}, param.value());
}

class MysqlRow final : public Row {
 public:
  MYSQL_ROW row = nullptr;
  unsigned long* lengths = nullptr;

  bool isNull(int column) const override { return row[column] == nullptr; }
  std::int64_t integer(int column) const override {
    std::int64_t value = 0;
    const char* end = row[column] + lengths[column];
    const auto read = std::from_chars(row[column], end, value);
    // DECIMAL sums end in no fraction here, but may not fit: that is a broken book, not a number.
    if (read.ec != std::errc{} || read.ptr != end) {
      throw Error(0, fmt::format("not a 64-bit integer: {}",
                                 isNull(column) ? "NULL" : fmt::format("'{}'", text(column))));
    }
    return value;
  }
  std::string_view text(int column) const override {
    return {row[column], row[column] != nullptr ? lengths[column] : 0};
  }
};

class MysqlConnection final : public Connection {
 public:
  MysqlConnection(const Url& url, Duration timeout) {
    handle_ = mysql_init(nullptr);
    unsigned connectTimeout = kConnectTimeoutS;
    auto answerTimeout = static_cast<unsigned>(timeout.count() / kUsPerSecond);
    mysql_options(handle_, MYSQL_OPT_CONNECT_TIMEOUT, &connectTimeout);
    mysql_options(handle_, MYSQL_OPT_READ_TIMEOUT, &answerTimeout);
    mysql_options(handle_, MYSQL_OPT_WRITE_TIMEOUT, &answerTimeout);
    mysql_options(handle_, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (mysql_real_connect(handle_, url.host.c_str(), url.user.c_str(), url.password.c_str(),
                           url.database.c_str(), static_cast<unsigned>(url.port), nullptr,
                           CLIENT_FOUND_ROWS) == nullptr) {
      const auto what = fmt::format("cannot connect to {}: {}", url.shown(), mysql_error(handle_));
      const int code = static_cast<int>(mysql_errno(handle_));
      mysql_close(handle_);
      throw Unavailable(code, what);
    }
    bulkSupported_ = BulkInsert::supported(handle_);
    try {
      run(kSessionSetup);
      run("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
      seeWhatIsCommitted();
    } catch (const Error& error) {
      mysql_close(handle_);
      throw Unavailable(error.code(), error.what());
    }
  }
  ~MysqlConnection() override {
    bulk_.clear();  // its statements are the connection's
    mysql_close(handle_);
  }

  Dialect dialect() const override { return Dialect::mysql; }

  ExecResult exec(std::string_view sql, std::span<const Param> params) override {
    run(filled(sql, params));
    return {static_cast<std::int64_t>(mysql_affected_rows(handle_)),
            static_cast<std::int64_t>(mysql_insert_id(handle_))};
  }

  void query(std::string_view sql, std::span<const Param> params,
             const RowHandler& onRow) override {
    const auto& text = filled(sql, params);
    send(text);
    const std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> result(mysql_use_result(handle_),
                                                                          &mysql_free_result);
    if (!result) failMysql(mysql_errno(handle_), mysql_error(handle_), text);
    MysqlRow row;
    while ((row.row = mysql_fetch_row(result.get())) != nullptr) {
      row.lengths = mysql_fetch_lengths(result.get());
      onRow(row);
    }
    if (mysql_errno(handle_) != 0) failMysql(mysql_errno(handle_), mysql_error(handle_), text);
  }

  void insertRows(std::string_view head, std::size_t columns, std::span<const Param> values,
                  std::string_view tail) override {
    if (values.empty() || insertBulk(head, columns, values, tail)) return;
    text_.assign(head);
    text_ += " VALUES ";
    for (std::size_t i = 0; i < values.size(); ++i) {
      text_ += i % columns != 0 ? "," : (i == 0 ? "(" : "),(");
      append(text_, values[i]);
    }
    text_ += ')';
    text_ += tail;
    run(text_);
  }

  void begin() override { run("START TRANSACTION"); }
  void beginSnapshot() override {
    run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");
    run("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY");
  }
  void commit() override {
    try {
      run("COMMIT");
    } catch (const ConnectionLost&) {
      throw;
    } catch (const RolledBack&) {
      throw;  // certification failed (Galera, TiDB): certainly not committed
    } catch (const Error& error) {
      throw ConnectionLost(error.code(), error.what());
    }
  }
  // What is open on the connection must not become part of its next transaction.
  void rollback() noexcept override { spoiled_ = mysql_real_query(handle_, "ROLLBACK", 8) != 0; }
  std::int64_t serverId() const override {
    return static_cast<std::int64_t>(mysql_thread_id(handle_));
  }
  Time now() override {
    Time time;
    query("SELECT CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED)", {},
          [&](const Row& row) { time = row.time(0); });
    return time;
  }
  using Connection::exec;
  using Connection::query;

 private:
  void seeWhatIsCommitted() {
    const auto sql = kSeeWhatIsCommitted;
    if (mysql_real_query(handle_, sql.data(), sql.size()) == 0) return;
    // Known to servers that were built with Galera's code, and needed by no others.
    if (mysql_errno(handle_) == kUnknownVariable) return;
    failMysql(mysql_errno(handle_), mysql_error(handle_), sql);
  }
  void send(std::string_view sql) {
    if (spoiled_) throw Unavailable(0, "the connection was given up: its server refused ROLLBACK");
    if (mysql_real_query(handle_, sql.data(), sql.size()) != 0) {
      failMysql(mysql_errno(handle_), mysql_error(handle_), sql);
    }
  }
  void run(std::string_view sql) {
    send(sql);
    if (MYSQL_RES* result = mysql_store_result(handle_)) mysql_free_result(result);
  }

  /// False, and nothing done, where rows have to go as text.
  bool insertBulk(std::string_view head, std::size_t columns, std::span<const Param> values,
                  std::string_view tail) {
    if (!bulkSupported_ || spoiled_) return false;
    auto key = fmt::format("{}{}", head, tail);
    auto found = bulk_.find(key);
    if (found == bulk_.end()) {
      found = bulk_.emplace(std::move(key), BulkInsert(handle_, head, columns, tail)).first;
    }
    return found->second.run(values);
  }

  const std::string& filled(std::string_view sql, std::span<const Param> params) {
    text_.clear();
    std::size_t next = 0;
    for (const char c : sql) {
      if (c != '?') {
        text_ += c;
      } else if (next < params.size()) {
        append(text_, params[next++]);
      } else {
        throw Error(0, fmt::format("too few values for: {}", sql));
      }
    }
    if (next != params.size()) throw Error(0, fmt::format("too many values for: {}", sql));
    return text_;
  }

  MYSQL* handle_ = nullptr;
  bool bulkSupported_ = false;
  bool spoiled_ = false;  // a ROLLBACK failed
  std::map<std::string, BulkInsert, std::less<>> bulk_;
  std::string text_;  // kept, so that its memory is
};

}  // namespace

std::unique_ptr<Connection> connectMysql(const Url& url, Duration answerTimeout) {
  return std::make_unique<MysqlConnection>(url, answerTimeout);
}

}  // namespace tipflow::db
