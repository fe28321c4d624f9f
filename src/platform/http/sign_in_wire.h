// What is asked at a log-in, by people and between nodes.
#pragma once

#include <optional>

#include "platform/json.h"
#include "platform/security/tokens.h"

namespace tipflow::http {

/// Body of POST /api/v1/auth/login and of POST /internal/v1/sign-in.
struct LoginRequest {
  PrincipalKind kind = PrincipalKind::viewer;
  Text<1, 64> name;
  Secret<1, 128> password;
};
BOOST_DESCRIBE_STRUCT(LoginRequest, (), (kind, name, password))

struct FoundAccount {
  Ranged<1, kIdEnd - 1> id;
  Role role = Role::viewer;
};
BOOST_DESCRIBE_STRUCT(FoundAccount, (), (id, role))
/// Answer of POST /internal/v1/sign-in; nothing when name and password do not fit.
struct SignInReply {
  std::optional<FoundAccount> account;
};
BOOST_DESCRIBE_STRUCT(SignInReply, (), (account))

}  // namespace tipflow::http
