// The operators: who they are and how they log in. The console's screens come on top of this.
#pragma once

#include <optional>
#include <string>

#include "platform/db/database.h"
#include "platform/sign_in.h"

namespace tipflow::console {

/// Inserts the first admin unless there is one; false when there was.
bool addFirstAdmin(db::Connection& connection, const std::string& passwordHash, Time now);
/// Whether `admin` exists.
bool hasAdmin(db::Connection& connection);

class Operators final : public AccountDirectory {
 public:
  explicit Operators(db::Database& db2) : db2_(db2) {}
  drogon::Task<std::optional<Account>> account(std::string name) override;
  /// Empty when there is no such operator.
  drogon::Task<std::string> nameOf(std::int64_t id);

 private:
  db::Database& db2_;
};

}  // namespace tipflow::console
