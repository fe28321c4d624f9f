// Where a role tells the sign-in routes how to check a name and a password of its people.
#pragma once

#include <drogon/utils/coroutine.h>

#include <optional>
#include <string>

#include "platform/security/tokens.h"

namespace tipflow {

/// A person that may log in: what is needed to check the password and to issue a token.
struct Account {
  std::int64_t id = 0;
  Role role = Role::viewer;
  std::string passwordHash;
};

class AccountDirectory {
 public:
  virtual ~AccountDirectory() = default;
  virtual drogon::Task<std::optional<Account>> account(std::string name) = 0;
};

}  // namespace tipflow
