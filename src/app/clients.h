// Whom the roles of a node ask: a role's own part where the node has it, else
// another node's where others are known. Null: that role is away, and each caller says what it does
// then.
#pragma once

#include <map>

#include "analysis/client.h"
#include "anchor/client.h"
#include "audience/client.h"
#include "finance/client.h"
#include "platform/security/tokens.h"
#include "platform/sign_in.h"
#include "room/client.h"

namespace tipflow::app {

struct Clients {
  anchor::AnchorClient* anchors = nullptr;
  audience::AudienceClient* audience = nullptr;
  finance::FinanceClient* finance = nullptr;
  analysis::AnalysisClient* analysis = nullptr;
  anchor::ChatArchive* chat = nullptr;
  const room::LiveRooms* live = nullptr;
};

/// Where a name and password are looked up, by kind of account.
using Accounts = std::map<PrincipalKind, AccountDirectory*>;

}  // namespace tipflow::app
