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

/// Whose name and password these are.
struct SignedIn {
  std::int64_t id = 0;
  Role role = Role::viewer;
};

/// Checks names and passwords where their accounts are kept, when that is another node. The
/// password goes there; its hash stays: who listens or breaks in here learns the password of who
/// logs in just then either way, but not what all others could be guessed from.
class RemoteSignIn {
 public:
  virtual ~RemoteSignIn() = default;
  /// nullopt when they do not fit. Throws db::Error when it cannot be asked.
  virtual drogon::Task<std::optional<SignedIn>> check(PrincipalKind kind, std::string name,
                                                      std::string password) = 0;
};

}  // namespace tipflow
