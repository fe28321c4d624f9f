// Signing in and out, on every node, for anchors, viewers and operators alike.
#pragma once

#include <map>

#include "platform/http/login_limits.h"
#include "platform/http/router.h"
#include "platform/passwords.h"
#include "platform/sign_in.h"

namespace tipflow::http {

/// `directories`: who answers for which kind on this node. For other kinds `remote` is asked; null:
/// they are away. Other nodes may ask this one likewise.
void addSignInRoutes(Router& router, std::map<PrincipalKind, AccountDirectory*> directories,
                     RemoteSignIn* remote, LoginLimits& limits, Passwords& passwords,
                     Tokens& tokens);

}  // namespace tipflow::http
