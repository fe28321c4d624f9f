// The payout accounts in DB2, sealed: no plain value comes here.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "platform/db/connection.h"
#include "platform/security/keyring.h"

namespace tipflow::finance::store {

struct SealedAccount {
  AnchorId anchor;
  SealedText sealed;
  Time updatedAt;
};

/// Makes the guard.
void seedPayoutAccounts(db::Connection& connection);
/// In a transaction: no data key is dropped until it ends. To be held before sealing.
void keepDataKeys(db::Connection& connection);
/// In a transaction: nobody seals until it ends; what was sealed before is there to be counted.
void holdDataKeys(db::Connection& connection);

void putPayoutAccount(db::Connection& connection, const SealedAccount& account);
std::optional<SealedAccount> payoutAccount(db::Connection& connection, AnchorId anchor);
/// Accounts under these keys, by anchor, from behind `after` on.
std::vector<SealedAccount> payoutAccountsUnder(db::Connection& connection,
                                               const std::vector<std::string>& keyIds,
                                               AnchorId after, int limit);
/// The same account under another key; false, and no change, when it is not `old` any more.
bool resealPayoutAccount(db::Connection& connection, const SealedAccount& old,
                         const SealedText& fresh);
/// How many accounts each data key has sealed.
std::map<std::string, std::int64_t> payoutAccountsByKey(db::Connection& connection);

}  // namespace tipflow::finance::store
