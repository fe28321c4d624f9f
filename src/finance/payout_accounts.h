// Payout accounts: set and shown masked, encrypted at rest, and encrypted again after a new data
// key.
#pragma once

#include <set>

#include "anchor/client.h"
#include "finance/model.h"
#include "finance/payout_store.h"
#include "platform/db/database.h"

namespace tipflow::finance {

class PayoutAccounts {
 public:
  /// `anchors` may be null: that role is away.
  PayoutAccounts(db::Database& db2, const Clock& clock, const Keyring& keyring,
                 anchor::AnchorClient* anchors)
      : db2_(db2), clock_(clock), keyring_(keyring), anchors_(anchors) {}

  drogon::Task<Result<ShownPayoutAccount>> set(AnchorId anchor, SetPayoutAccount request);
  drogon::Task<Result<ShownPayoutAccount>> get(AnchorId anchor);

  /// Seals some of the accounts that are under older keys again; how many. By one caller at a time.
  drogon::Task<int> resealSome();

  /// Logs an error for each data key that accounts need and this node does not hold.
  void reportMissingKeys(db::Connection& connection) const;

 private:
  drogon::Task<std::optional<Rejection>> whyNotAnchor(AnchorId anchor);
  [[nodiscard]] SealedText seal(AnchorId anchor, const PayoutAccount& account) const;
  [[nodiscard]] PayoutAccount open(const store::SealedAccount& stored) const;
  int reseal(db::Connection& connection, const std::vector<store::SealedAccount>& accounts);

  db::Database& db2_;
  const Clock& clock_;
  const Keyring& keyring_;
  anchor::AnchorClient* anchors_;
  AnchorId resealedUpTo_{0};
  std::set<AnchorId> unreadable_;  // logged once each
};

}  // namespace tipflow::finance
