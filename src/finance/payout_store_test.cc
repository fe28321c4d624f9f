// Payout accounts on both databases: sealed, sealed again without losing a change, and no data key
// taken away while somebody seals with it.
#include "finance/payout_store.h"

#include <drogon/utils/coroutine.h>
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "finance/payout_accounts.h"
#include "platform/security/crypto.h"
#include "store/database.h"

namespace tipflow::finance::store {
namespace {

using fixture::rows;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr Time kNow{1'770'000'000'123'000};
constexpr AnchorId kAnna{31};
constexpr AnchorId kBob{32};
const std::string kOld = "old:" + std::string(64, 'a');
const std::string kNew = "new:" + std::string(64, 'b');

SealedAccount sealed(AnchorId anchor, const char* keyId, const char* text) {
  return {anchor, {keyId, text}, kNow};
}

class PayoutStore : public ::testing::TestWithParam<fixture::Engine> {
 protected:
  static void SetUpTestSuite() { crypto::initialise(); }
  PayoutStore() { seedPayoutAccounts(*c); }

  std::vector<std::string> table() {
    return rows(*c, {"anchor_id", "key_id", "sealed", "updated_at"},
                "payout_account ORDER BY anchor_id");
  }
  /// Accounts as the role keeps them, with these data keys.
  struct Role {
    Role(const db::Url& url, const std::string& setting)
        : source(KeyKind::data, setting, {}), db2("DB2", url, {2}) {}
    ManualClock clock{kNow};
    KeySource source;
    Keyring keyring{source};
    db::Database db2;
    PayoutAccounts accounts{db2, clock, keyring, nullptr};

    Result<ShownPayoutAccount> set(AnchorId anchor, const std::string& name,
                                   const std::string& bank = "6222021234561234") {
      return drogon::sync_wait(accounts.set(anchor, {{name}, {bank}, {"13812345678"}}));
    }
    Result<ShownPayoutAccount> get(AnchorId anchor) {
      return drogon::sync_wait(accounts.get(anchor));
    }
    int resealSome() { return drogon::sync_wait(accounts.resealSome()); }
  };

  fixture::TestDatabase database{GetParam(), "db2"};
  std::unique_ptr<db::Connection> c = database.connect();
};
TIPFLOW_ON_BOTH(PayoutStore);

TEST_P(PayoutStore, keeps_one_account_an_anchor_the_last_one) {
  EXPECT_FALSE(payoutAccount(*c, kAnna));
  putPayoutAccount(*c, sealed(kAnna, "k", "first"));
  putPayoutAccount(*c, sealed(kBob, "k", "other"));
  putPayoutAccount(*c, {kAnna, {"n", "second"}, kNow + Duration{1}});
  const auto found = payoutAccount(*c, kAnna);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->sealed.keyId, "n");
  EXPECT_EQ(found->sealed.text, "second");
  EXPECT_EQ(found->updatedAt, kNow + Duration{1});
  EXPECT_THAT(payoutAccountsByKey(*c), ElementsAre(Pair("k", 1), Pair("n", 1)));
}

TEST_P(PayoutStore, lists_accounts_under_keys_by_anchor_from_a_place_on) {
  for (const std::int64_t id : {5, 3, 9, 1}) {
    putPayoutAccount(*c, sealed(AnchorId{id}, id == 3 ? "k" : "j", "x"));
  }
  const auto ids = [&](const std::vector<std::string>& keys, std::int64_t after, int limit) {
    std::vector<std::int64_t> found;
    for (const auto& a : payoutAccountsUnder(*c, keys, AnchorId{after}, limit)) {
      found.push_back(a.anchor.value);
    }
    return found;
  };
  EXPECT_THAT(ids({"j", "k"}, 0, 10), ElementsAre(1, 3, 5, 9));
  EXPECT_THAT(ids({"j"}, 1, 10), ElementsAre(5, 9));
  EXPECT_THAT(ids({"j", "k"}, 0, 2), ElementsAre(1, 3));
  EXPECT_THAT(ids({"J"}, 0, 10), IsEmpty()) << "ids differ by case";
  EXPECT_THAT(ids({}, 0, 10), IsEmpty());
}

TEST_P(PayoutStore, seals_again_only_what_nobody_has_changed) {
  putPayoutAccount(*c, sealed(kAnna, "k", "read"));
  const auto read = *payoutAccount(*c, kAnna);
  putPayoutAccount(*c, {kAnna, {"k", "Read"}, kNow + Duration{1}});
  EXPECT_FALSE(resealPayoutAccount(*c, read, {"n", "stale"}));
  EXPECT_THAT(table(), ElementsAre("31|k|Read|1770000000123001"));
  EXPECT_TRUE(resealPayoutAccount(*c, *payoutAccount(*c, kAnna), {"n", "fresh"}));
  EXPECT_THAT(table(), ElementsAre("31|n|fresh|1770000000123001"));
  EXPECT_FALSE(resealPayoutAccount(*c, sealed(kBob, "k", "read"), {"n", "x"}));
}

TEST_P(PayoutStore, accounts_are_shown_masked_and_stored_unreadable) {
  Role role(database.url(), kOld);
  EXPECT_EQ(role.get(kAnna).error().code, ErrorCode::payout_account_not_found);
  const auto set = role.set(kAnna, "张三");
  ASSERT_TRUE(set);
  EXPECT_EQ(json::toText(*set), json::toText(*role.get(kAnna)));
  EXPECT_EQ(json::toText(*set),
            R"({"realName":"张*","bankAccount":"**** **** **** 1234","phone":"138****5678",)"
            R"("updatedAt":"2026-02-02T02:40:00.123Z"})");
  for (const auto& row : table()) {
    for (const auto* plain : {"张", "6222", "1234", "1381234", "realName"}) {
      EXPECT_EQ(row.find(plain), std::string::npos) << plain;
    }
  }
}

TEST_P(PayoutStore, an_account_moved_to_another_anchor_does_not_open) {
  Role role(database.url(), kOld);
  ASSERT_TRUE(role.set(kAnna, "Anna"));
  auto stolen = *payoutAccount(*c, kAnna);
  stolen.anchor = kBob;
  putPayoutAccount(*c, stolen);
  EXPECT_THROW((void)role.get(kBob), CannotOpen);
  EXPECT_TRUE(role.get(kAnna));
}

TEST_P(PayoutStore, all_accounts_come_under_the_new_key_a_hundred_at_a_time) {
  constexpr std::int64_t kAnchors = 250;
  {
    Role before(database.url(), kOld);
    for (std::int64_t id = 1; id <= kAnchors; ++id) {
      ASSERT_TRUE(
          before.set(AnchorId{id}, fmt::format("Name {}", id), fmt::format("62220212{:08}", id)));
    }
    EXPECT_EQ(before.resealSome(), 0);
  }
  Role after(database.url(), kNew + "," + kOld);
  EXPECT_EQ(after.resealSome(), 100);
  EXPECT_THAT(payoutAccountsByKey(*c), ElementsAre(Pair("new", 100), Pair("old", 150)));
  EXPECT_EQ(after.resealSome(), 100);
  EXPECT_EQ(after.resealSome(), 50);
  EXPECT_EQ(after.resealSome(), 0);
  EXPECT_THAT(payoutAccountsByKey(*c), ElementsAre(Pair("new", kAnchors)));
  Role without(database.url(), kNew);
  for (const std::int64_t id : {1, 100, 101, 250}) {
    const auto shown = without.get(AnchorId{id});
    ASSERT_TRUE(shown);
    EXPECT_EQ(shown->bankAccount, fmt::format("**** **** **** {:04}", id));
    EXPECT_EQ(shown->updatedAt, kNow);
  }
}

TEST_P(PayoutStore, accounts_that_cannot_be_opened_do_not_hold_up_the_others) {
  Role role(database.url(), kNew + "," + kOld);
  for (std::int64_t id = 1; id <= 120; ++id) {
    putPayoutAccount(*c, sealed(AnchorId{id}, "old", "v1.old.broken.broken"));
  }
  {
    Role before(database.url(), kOld);
    ASSERT_TRUE(before.set(AnchorId{500}, "Anna"));
  }
  EXPECT_EQ(role.resealSome(), 0);
  EXPECT_EQ(role.resealSome(), 1);
  EXPECT_THAT(payoutAccountsByKey(*c), ElementsAre(Pair("new", 1), Pair("old", 120)));
}

TEST_P(PayoutStore, what_an_anchor_changes_while_accounts_are_sealed_again_stays) {
  constexpr int kChanges = 60;
  {
    Role before(database.url(), kOld);
    ASSERT_TRUE(before.set(kAnna, "Anna", "62220212000000000000"));
  }
  // The anchor's node does not know the new key yet: each change falls back under the old one.
  Role node(database.url(), kOld + "," + kNew);
  Role sealing(database.url(), kNew + "," + kOld);
  std::atomic<bool> changing{true};
  std::jthread other([&] {
    while (changing) (void)sealing.resealSome();
  });
  for (int i = 1; i <= kChanges; ++i) {
    const auto bank = fmt::format("6222021200000000{:04}", i);
    ASSERT_TRUE(node.set(kAnna, "Anna", bank));
    EXPECT_EQ(node.get(kAnna)->bankAccount, "**** **** **** " + bank.substr(16));
  }
  changing = false;
  other.join();
  EXPECT_EQ(node.get(kAnna)->bankAccount, fmt::format("**** **** **** {:04}", kChanges));
}

TEST_P(PayoutStore, a_key_is_dropped_before_or_after_an_account_is_sealed_and_never_between) {
  const auto sealer = database.connect();
  sealer->begin();
  keepDataKeys(*sealer);
  std::atomic<bool> counted{false};
  std::jthread dropper([&] {
    const auto own = database.connect();
    db::transact(*own, [&](db::Connection& connection) {
      holdDataKeys(connection);
      EXPECT_THAT(payoutAccountsByKey(connection), ElementsAre(Pair("k", 1)));
      counted = true;
    });
  });
  if (GetParam() == fixture::Engine::MariaDB) {
    ASSERT_TRUE(fixture::eventually([&] { return fixture::waitingForLocks(*c) == 1; },
                                    fixture::kInnodbShowsEvery));
  }
  EXPECT_FALSE(counted);
  putPayoutAccount(*sealer, sealed(kAnna, "k", "x"));
  sealer->commit();
  dropper.join();
  EXPECT_TRUE(counted);
}

}  // namespace
}  // namespace tipflow::finance::store
