// Signing in and out, on every node, for anchors, viewers and operators alike.
#pragma once

#include <map>

#include "platform/http/login_limits.h"
#include "platform/http/router.h"
#include "platform/passwords.h"
#include "platform/sign_in.h"

namespace tipflow::http {

/// `directories`: who answers for which kind; a kind without one is away on this node.
void addSignInRoutes(Router& router, std::map<PrincipalKind, AccountDirectory*> directories,
                     LoginLimits& limits, Passwords& passwords, Tokens& tokens);

}  // namespace tipflow::http
