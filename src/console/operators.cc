#include "console/operators.h"

#include "platform/db/dialect.h"

namespace tipflow::console {
namespace {

// Stored in operator_user.role.
constexpr int kAdmin = 2;

}  // namespace

bool hasAdmin(db::Connection& connection) {
  bool found = false;
  connection.query("SELECT 1 FROM operator_user WHERE name = 'admin'", {},
                   [&](const db::Row&) { found = true; });
  return found;
}

bool addFirstAdmin(db::Connection& connection, const std::string& passwordHash, Time now) {
  if (hasAdmin(connection)) return false;
  try {
    connection.exec(
        "INSERT INTO operator_user (name, password_hash, role, created_at) VALUES (?, ?, ?, ?)",
        {"admin", passwordHash, kAdmin, now});
    return true;
  } catch (const db::DuplicateKey&) {
    return false;  // another node was first
  }
}

drogon::Task<std::optional<Account>> Operators::account(std::string name) {
  co_return co_await db2_.read([&](db::Connection& connection) {
    std::optional<Account> found;
    connection.query("SELECT id, password_hash, role FROM operator_user WHERE name = ?", {name},
                     [&](const db::Row& row) {
                       found = Account{row.integer(0),
                                       row.integer(2) == kAdmin ? Role::admin : Role::operator_,
                                       std::string(row.text(1))};
                     });
    return found;
  });
}

drogon::Task<std::string> Operators::nameOf(std::int64_t id) {
  auto work = [id](db::Connection& connection) {
    std::string name;
    connection.query("SELECT name FROM operator_user WHERE id = ?", {id},
                     [&](const db::Row& row) { name = row.text(0); });
    return name;
  };
  co_return co_await db2_.read(work);
}

}  // namespace tipflow::console
