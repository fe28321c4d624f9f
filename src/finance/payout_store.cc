#include "finance/payout_store.h"

#include <fmt/format.h>

#include "platform/db/dialect.h"

namespace tipflow::finance::store {
namespace {

constexpr const char* kGuard = "SELECT id FROM payout_account_guard WHERE id = 1";
constexpr const char* kColumns = "SELECT anchor_id, key_id, sealed, updated_at FROM payout_account";
constexpr const char* kReseal = R"(
  UPDATE payout_account SET key_id = ?, sealed = ? WHERE anchor_id = ? AND sealed = ?)";
constexpr const char* kByKey = "SELECT key_id, COUNT(*) FROM payout_account GROUP BY key_id";

SealedAccount readAccount(const db::Row& row) {
  return {row.id<AnchorId>(0), {std::string(row.text(1)), std::string(row.text(2))}, row.time(3)};
}

}  // namespace

void seedPayoutAccounts(db::Connection& connection) {
  connection.exec("INSERT INTO payout_account_guard (id) VALUES (1)" +
                  db::orKeep(connection.dialect(), "id"));
}

void keepDataKeys(db::Connection& connection) {
  connection.query(fmt::format("{}{}", kGuard, db::forShare(connection.dialect())), {},
                   [](const db::Row&) {});
}

void holdDataKeys(db::Connection& connection) {
  connection.query(fmt::format("{}{}", kGuard, db::forUpdate(connection.dialect())), {},
                   [](const db::Row&) {});
}

void putPayoutAccount(db::Connection& connection, const SealedAccount& account) {
  const std::vector<db::Param> values{account.anchor, account.sealed.keyId, account.sealed.text,
                                      account.updatedAt};
  connection.insertRows(
      "INSERT INTO payout_account (anchor_id, key_id, sealed, updated_at)", 4, values,
      db::upsertSet(connection.dialect(), "anchor_id", {"key_id", "sealed", "updated_at"}));
}

std::optional<SealedAccount> payoutAccount(db::Connection& connection, AnchorId anchor) {
  std::optional<SealedAccount> found;
  connection.query(fmt::format("{} WHERE anchor_id = ?", kColumns), {anchor},
                   [&](const db::Row& row) { found = readAccount(row); });
  return found;
}

std::vector<SealedAccount> payoutAccountsUnder(db::Connection& connection,
                                               const std::vector<std::string>& keyIds,
                                               AnchorId after, int limit) {
  std::vector<SealedAccount> found;
  if (keyIds.empty()) return found;
  std::string places;
  std::vector<db::Param> params;
  for (const auto& id : keyIds) {
    places += places.empty() ? "?" : ", ?";
    params.emplace_back(id);
  }
  params.insert(params.end(), {after, limit});
  connection.query(fmt::format("{} WHERE key_id IN ({}) AND anchor_id > ? ORDER BY anchor_id "
                               "LIMIT ?",
                               kColumns, places),
                   params, [&](const db::Row& row) { found.push_back(readAccount(row)); });
  return found;
}

bool resealPayoutAccount(db::Connection& connection, const SealedAccount& old,
                         const SealedText& fresh) {
  return connection.exec(kReseal, {fresh.keyId, fresh.text, old.anchor, old.sealed.text}).matched ==
         1;
}

std::map<std::string, std::int64_t> payoutAccountsByKey(db::Connection& connection) {
  std::map<std::string, std::int64_t> counts;
  connection.query(kByKey, {},
                   [&](const db::Row& row) { counts[std::string(row.text(0))] = row.integer(1); });
  return counts;
}

}  // namespace tipflow::finance::store
