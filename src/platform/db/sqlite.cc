// SQLite behind db::Connection: WAL, synchronous=FULL, one writer at a time.
#include <sqlite3.h>

#include <fmt/format.h>

#include <chrono>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "platform/db/connection.h"

namespace tipflow::db {
namespace {

constexpr std::chrono::milliseconds kSetUpPause{20};
constexpr int kSetUpTries = 250;

// SQLite lets one transaction write at a time, and lets the others poll. Within the process they
// queue here instead, so that nobody sleeps past its turn.
std::shared_ptr<std::mutex> writerMutex(const std::string& file) {
  static std::mutex guard;
  static std::map<std::string, std::weak_ptr<std::mutex>> mutexes;
  const std::lock_guard lock(guard);
  auto mutex = mutexes[file].lock();
  if (!mutex) mutexes[file] = mutex = std::make_shared<std::mutex>();
  return mutex;
}

[[noreturn]] void fail(sqlite3* handle, int status, std::string_view sql) {
  const int extended = handle != nullptr ? sqlite3_extended_errcode(handle) : status;
  const auto what = fmt::format("SQLite: {} ({}) in: {}",
                                handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(status),
                                extended, sql.substr(0, 120));
  if (extended == SQLITE_CONSTRAINT_UNIQUE || extended == SQLITE_CONSTRAINT_PRIMARYKEY ||
      extended == SQLITE_CONSTRAINT_ROWID) {
    throw DuplicateKey(extended, what);
  }
  switch (extended & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL:
    case SQLITE_NOMEM:
      throw RolledBack(extended, what);
    case SQLITE_IOERR:
      // A failed sync leaves a written commit that a later recovery may still find.
      throw ConnectionLost(extended, what);
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
      throw Unavailable(extended, what);
    default:
      throw Error(extended, what);
  }
}

class Statement {
 public:
  Statement(sqlite3* handle, std::string_view sql) : handle_(handle), sql_(sql) {
    const int status = sqlite3_prepare_v3(handle, sql.data(), static_cast<int>(sql.size()),
                                          SQLITE_PREPARE_PERSISTENT, &statement_, nullptr);
    if (status != SQLITE_OK) fail(handle, status, sql);
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  void bind(std::span<const Param> params) {
    if (static_cast<std::size_t>(sqlite3_bind_parameter_count(statement_)) != params.size()) {
      throw Error(0, fmt::format("{} values for: {}", params.size(), sql_));
    }
    int place = 1;
    for (const auto& param : params) {
      const int status =
          std::visit([&](const auto& v) { return bindOne(place, v); }, param.value());
      if (status != SQLITE_OK) fail(handle_, status, sql_);
      ++place;
    }
  }
  /// True while there is a row.
  bool step() {
    const int status = sqlite3_step(statement_);
    if (status == SQLITE_ROW) return true;
    if (status == SQLITE_DONE) return false;
    fail(handle_, status, sql_);
  }
  void reset() { sqlite3_reset(statement_); }
  [[nodiscard]] sqlite3_stmt* raw() const { return statement_; }

 private:
  int bindOne(int place, std::nullptr_t) { return sqlite3_bind_null(statement_, place); }
  int bindOne(int place, std::int64_t v) { return sqlite3_bind_int64(statement_, place, v); }
  int bindOne(int place, std::string_view v) {
    return sqlite3_bind_text(statement_, place, v.data() != nullptr ? v.data() : "",
                             static_cast<int>(v.size()), SQLITE_TRANSIENT);
  }
  int bindOne(int place, Bytes v) {
    return sqlite3_bind_blob(statement_, place, v.data.data() != nullptr ? v.data.data() : "",
                             static_cast<int>(v.data.size()), SQLITE_TRANSIENT);
  }
  int bindOne(int place, const TraceId& v) {
    const auto bytes = v.bytes();
    return sqlite3_bind_blob(statement_, place, bytes.data(), 16, SQLITE_TRANSIENT);
  }

  sqlite3* handle_;
  std::string sql_;
  sqlite3_stmt* statement_ = nullptr;
};

class SqliteRow final : public Row {
 public:
  explicit SqliteRow(sqlite3_stmt* statement) : statement_(statement) {}
  bool isNull(int column) const override {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
  }
  std::int64_t integer(int column) const override {
    // SQLite would turn NULL and text into 0; a server's answer is refused there, and so is this.
    if (sqlite3_column_type(statement_, column) != SQLITE_INTEGER) {
      throw Error(0, fmt::format("not a 64-bit integer: {}",
                                 isNull(column) ? "NULL" : fmt::format("'{}'", text(column))));
    }
    return sqlite3_column_int64(statement_, column);
  }
  std::string_view text(int column) const override {
    const void* data = sqlite3_column_blob(statement_, column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
    return {static_cast<const char*>(data), data != nullptr ? size : 0};
  }

 private:
  sqlite3_stmt* statement_;
};

// Leaves a cached statement ready for its next use, however the current one ends.
class Use {
 public:
  explicit Use(Statement& statement) : statement_(statement) {}
  ~Use() { statement_.reset(); }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;

 private:
  Statement& statement_;
};

class SqliteConnection final : public Connection {
 public:
  explicit SqliteConnection(const Url& url) : writer_(writerMutex(url.file)) {
    const int status =
        sqlite3_open_v2(url.file.c_str(), &handle_,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
    if (status != SQLITE_OK) {
      const auto what = fmt::format("cannot open {}: {}", url.file,
                                    handle_ != nullptr ? sqlite3_errmsg(handle_) : "no memory");
      sqlite3_close(handle_);
      throw Unavailable(status, what);
    }
    try {
      sqlite3_extended_result_codes(handle_, 1);
      sqlite3_busy_timeout(handle_, 5'000);  // other processes: the audit, a backup
      for (const char* pragma :
           {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA cache_size=-65536",
            "PRAGMA temp_store=MEMORY", "PRAGMA wal_autocheckpoint=16000",
            "PRAGMA case_sensitive_like=ON"}) {
        setUp(pragma);
      }
    } catch (...) {
      sqlite3_close(handle_);
      throw;
    }
  }
  ~SqliteConnection() override {
    rollback();
    cache_.clear();
    sqlite3_close(handle_);
  }

  Dialect dialect() const override { return Dialect::sqlite; }

  ExecResult exec(std::string_view sql, std::span<const Param> params) override {
    const auto lock = lockForWrite();
    Statement& statement = prepared(sql);
    const Use use(statement);
    statement.bind(params);
    while (statement.step()) {
    }
    return {sqlite3_changes64(handle_), sqlite3_last_insert_rowid(handle_)};
  }

  void query(std::string_view sql, std::span<const Param> params,
             const RowHandler& onRow) override {
    Statement& statement = prepared(sql);
    const Use use(statement);
    statement.bind(params);
    const SqliteRow row(statement.raw());
    while (statement.step()) onRow(row);
  }

  void insertRows(std::string_view head, std::size_t columns, std::span<const Param> values,
                  std::string_view tail) override {
    if (values.empty()) return;
    if (!inTransaction_) {
      begin();
      try {
        insertRows(head, columns, values, tail);
        commit();
      } catch (...) {
        rollback();
        throw;
      }
      return;
    }
    std::string sql = fmt::format("{} VALUES (?", head);
    for (std::size_t i = 1; i < columns; ++i) sql += ",?";
    sql += ")";
    sql += tail;
    Statement& statement = prepared(sql);
    // All rows or none, as the one statement that it stands for.
    run("SAVEPOINT insert_rows");
    try {
      for (std::size_t at = 0; at < values.size(); at += columns) {
        const Use use(statement);
        statement.bind(values.subspan(at, columns));
        while (statement.step()) {
        }
      }
    } catch (...) {
      sqlite3_exec(handle_, "ROLLBACK TO insert_rows; RELEASE insert_rows", nullptr, nullptr,
                   nullptr);
      throw;
    }
    run("RELEASE insert_rows");
  }

  void begin() override {
    std::unique_lock lock(*writer_);
    run("BEGIN IMMEDIATE");
    held_ = std::move(lock);
    inTransaction_ = true;
  }
  void beginSnapshot() override {
    run("PRAGMA query_only=1");
    readOnly_ = true;
    run("BEGIN");
    inTransaction_ = true;
    // The snapshot starts with the first read.
    query("SELECT COUNT(*) FROM sqlite_master", {}, [](const Row&) {});
  }
  using Connection::exec;
  using Connection::query;
  void commit() override {
    run("COMMIT");
    ended();
  }
  void rollback() noexcept override {
    if (inTransaction_ && sqlite3_get_autocommit(handle_) == 0) {
      sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
    }
    ended();
  }
  std::int64_t serverId() const override { return 0; }
  Time now() override { return SystemClock{}.now(); }

 private:
  // SQLite does not wait when several turn a new file to WAL at once; here the first goes on, and
  // the others, of this process or another, come after it.
  void setUp(const char* pragma) {
    const std::lock_guard lock(*writer_);
    for (int tries = 0;; ++tries) {
      try {
        Statement statement(handle_, pragma);
        while (statement.step()) {
        }
        return;
      } catch (const RolledBack& busy) {
        if (tries >= kSetUpTries) throw Unavailable(busy.code(), busy.what());
        std::this_thread::sleep_for(kSetUpPause);
      }
    }
  }

  void ended() noexcept {
    if (readOnly_) sqlite3_exec(handle_, "PRAGMA query_only=0", nullptr, nullptr, nullptr);
    readOnly_ = false;
    inTransaction_ = false;
    held_ = {};
  }

  void run(std::string_view sql) {
    Statement& statement = prepared(sql);
    const Use use(statement);
    while (statement.step()) {
    }
  }

  std::unique_lock<std::mutex> lockForWrite() {
    return inTransaction_ ? std::unique_lock<std::mutex>{} : std::unique_lock(*writer_);
  }

  Statement& prepared(std::string_view sql) {
    auto found = cache_.find(std::string(sql));
    if (found == cache_.end()) {
      if (cache_.size() >= 128) cache_.clear();  // only ad-hoc statements can be that many
      found = cache_.emplace(std::string(sql), std::make_unique<Statement>(handle_, sql)).first;
    }
    return *found->second;
  }

  std::shared_ptr<std::mutex> writer_;
  std::unique_lock<std::mutex> held_;
  sqlite3* handle_ = nullptr;
  bool inTransaction_ = false;
  bool readOnly_ = false;
  std::unordered_map<std::string, std::unique_ptr<Statement>> cache_;
};

}  // namespace

std::unique_ptr<Connection> connectSqlite(const Url& url) {
  return std::make_unique<SqliteConnection>(url);
}

}  // namespace tipflow::db
