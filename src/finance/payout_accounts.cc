#include "finance/payout_accounts.h"

#include <boost/json.hpp>

#include "platform/log.h"
#include "platform/security/crypto.h"

namespace tipflow::finance {
namespace {

constexpr int kResealAtOnce = 100;

SealedPlace placeOf(AnchorId anchor) { return {"payout_account", "sealed", anchor.value}; }

PayoutAccount accountIn(std::string_view document) {
  const auto fields = boost::json::parse({document.data(), document.size()});
  const auto text = [&](const char* name) {
    return boost::json::value_to<std::string>(fields.at(name));
  };
  return {text("realName"), text("bankAccount"), text("phone")};
}

ShownPayoutAccount shown(const PayoutAccount& account, Time updatedAt) {
  return {maskedName(account.realName), maskedBankAccount(account.bankAccount),
          maskedPhone(account.phone), updatedAt};
}

}  // namespace

drogon::Task<std::optional<Rejection>> PayoutAccounts::whyNotAnchor(AnchorId anchor) {
  if (anchors_ == nullptr) co_return std::nullopt;  // cannot be asked: the books alone answer
  if (!anchors_->anchor(anchor)) co_await anchors_->lookAgain(anchor);
  if (!anchors_->anchor(anchor)) co_return Rejection{ErrorCode::anchor_not_found};
  co_return std::nullopt;
}

SealedText PayoutAccounts::seal(AnchorId anchor, const PayoutAccount& account) const {
  auto document = json::toText(account);
  auto sealed = keyring_.seal(document, placeOf(anchor));
  crypto::wipe(document);
  return sealed;
}

PayoutAccount PayoutAccounts::open(const store::SealedAccount& stored) const {
  auto document = keyring_.open(stored.sealed.text, placeOf(stored.anchor));
  auto account = accountIn(document);
  crypto::wipe(document);
  return account;
}

drogon::Task<Result<ShownPayoutAccount>> PayoutAccounts::set(AnchorId anchor,
                                                             SetPayoutAccount request) {
  if (const auto reason = co_await whyNotAnchor(anchor)) co_return *reason;
  const auto account =
      checkedPayoutAccount(request.realName.value, request.bankAccount.value, request.phone.value);
  if (!account) co_return account.error();
  const Time now = clock_.now();
  co_await db2_.write([&](db::Connection& connection) {
    store::keepDataKeys(connection);
    store::putPayoutAccount(connection, {anchor, seal(anchor, *account), now});
  });
  co_return shown(*account, now);
}

drogon::Task<Result<ShownPayoutAccount>> PayoutAccounts::get(AnchorId anchor) {
  if (const auto reason = co_await whyNotAnchor(anchor)) co_return *reason;
  const auto stored = co_await db2_.read(
      [&](db::Connection& connection) { return store::payoutAccount(connection, anchor); });
  if (!stored) co_return ErrorCode::payout_account_not_found;
  co_return shown(open(*stored), stored->updatedAt);
}

drogon::Task<int> PayoutAccounts::resealSome() {
  const auto older = keyring_.olderKeyIds();
  if (older.empty()) co_return 0;
  const auto accounts = co_await db2_.read([&](db::Connection& connection) {
    return store::payoutAccountsUnder(connection, older, resealedUpTo_, kResealAtOnce);
  });
  // One that cannot be opened is passed over, and met again when all others are done.
  const bool more = static_cast<int>(accounts.size()) == kResealAtOnce;
  resealedUpTo_ = more ? accounts.back().anchor : AnchorId{0};
  if (accounts.empty()) co_return 0;
  const int done =
      co_await db2_.write([&](db::Connection& connection) { return reseal(connection, accounts); });
  if (done > 0) {
    log::info("finance", "payout accounts encrypted again", log::field("accounts", done));
  }
  co_return done;
}

int PayoutAccounts::reseal(db::Connection& connection,
                           const std::vector<store::SealedAccount>& accounts) {
  store::keepDataKeys(connection);
  int done = 0;
  for (const auto& stored : accounts) {
    try {
      auto document = keyring_.open(stored.sealed.text, placeOf(stored.anchor));
      const auto fresh = keyring_.seal(document, placeOf(stored.anchor));
      crypto::wipe(document);
      // What its anchor has changed meanwhile is newer, and sealed under the newest key already.
      done += store::resealPayoutAccount(connection, stored, fresh) ? 1 : 0;
    } catch (const CannotOpen& error) {
      if (!unreadable_.insert(stored.anchor).second) continue;
      log::error("finance", "a payout account cannot be opened",
                 log::field("anchor", stored.anchor.value),
                 log::field("error", std::string_view(error.what())));
    }
  }
  return done;
}

void PayoutAccounts::reportMissingKeys(db::Connection& connection) const {
  for (const auto& [id, accounts] : store::payoutAccountsByKey(connection)) {
    if (keyring_.holds(id)) continue;
    log::error("finance", "payout accounts need a data key that is not here", log::field("key", id),
               log::field("accounts", accounts));
  }
}

}  // namespace tipflow::finance
