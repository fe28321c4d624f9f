// The finance role's HTTP: translation in and out, nothing else.
#pragma once

#include "finance/payout_accounts.h"
#include "finance/service.h"
#include "platform/http/router.h"

namespace tipflow::finance {

void addRoutes(http::Router& router, Service& service, PayoutAccounts& payoutAccounts,
               SandboxProvider& sandbox);

}  // namespace tipflow::finance
