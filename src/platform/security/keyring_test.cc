#include "platform/security/keyring.h"

#include <gtest/gtest.h>

#include <set>

#include "platform/security/crypto.h"

namespace tipflow {
namespace {

const std::string kOldKey = "old:" + std::string(64, 'a');
const std::string kNewKey = "new:" + std::string(64, 'b');
constexpr SealedPlace kPlace{"payout_account", "sealed", 12};

struct KeyringTest : testing::Test {
  static void SetUpTestSuite() { crypto::initialise(); }

  KeySource source{KeyKind::data, kOldKey, {}};
  Keyring keyring{source};

  static std::string faultOf(const Keyring& keyring, std::string_view sealed,
                             const SealedPlace& place = kPlace) {
    try {
      (void)keyring.open(sealed, place);
      return "none";
    } catch (const CannotOpen& error) {
      return error.what();
    }
  }
};

TEST_F(KeyringTest, opens_what_it_sealed) {
  for (const auto& value : {std::string("6222021234567890123"), std::string("张三"), std::string(),
                            std::string("\0\xff", 2), std::string(100'000, 'x')}) {
    const auto sealed = keyring.seal(value, kPlace);
    EXPECT_EQ(sealed.keyId, "old");
    EXPECT_TRUE(sealed.text.starts_with("v1.old."));
    EXPECT_EQ(keyring.open(sealed.text, kPlace), value);
    EXPECT_TRUE(value.size() <= 2 || sealed.text.find(value) == std::string::npos);
  }
}

TEST_F(KeyringTest, is_xchacha20_poly1305_bound_to_version_key_and_place) {
  // Sealed with libsodium by hand: what is stored today must open in every later release.
  const std::string stored = "v1.old.AAECAwQFBgcICQoLDA0ODxAREhMUFRYX.CEB7XEJWGK8BngrjkJC4T1UVqfo8";
  EXPECT_EQ(keyring.open(stored, kPlace), "hello");
}

TEST_F(KeyringTest, seals_the_same_value_differently_each_time) {
  std::set<std::string> texts;
  for (int i = 0; i < 1'000; ++i) texts.insert(keyring.seal("same", kPlace).text);
  EXPECT_EQ(texts.size(), 1'000U);
}

TEST_F(KeyringTest, does_not_open_a_value_in_another_place) {
  const auto sealed = keyring.seal("value", kPlace).text;
  for (const SealedPlace& other :
       {SealedPlace{"payout_account", "sealed", 13}, SealedPlace{"payout_account", "name", 12},
        SealedPlace{"account", "sealed", 12}, SealedPlace{"payout_account", "sealed", -12}}) {
    EXPECT_NE(faultOf(keyring, sealed, other).find("belongs elsewhere"), std::string::npos);
  }
}

TEST_F(KeyringTest, every_changed_cut_or_added_character_is_seen) {
  const auto sealed = keyring.seal("value", kPlace).text;
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    auto changed = sealed;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_NE(faultOf(keyring, changed), "none") << "at " << i;
    EXPECT_NE(faultOf(keyring, sealed.substr(0, i)), "none") << "cut at " << i;
  }
  for (const auto* more : {"A", "AA", "=", ".", " "}) {
    EXPECT_NE(faultOf(keyring, sealed + more), "none") << more;
  }
}

TEST_F(KeyringTest, refuses_what_was_never_sealed) {
  for (const auto* text : {"", "value", "v1", "v1...", "v1.old..", "v2.old.AAAA.AAAA", "...."}) {
    EXPECT_NE(faultOf(keyring, text).find("not a sealed value"), std::string::npos) << text;
  }
}

TEST_F(KeyringTest, opens_values_of_older_keys_and_seals_with_the_first) {
  const auto before = keyring.seal("value", kPlace).text;
  KeySource rotated(KeyKind::data, kNewKey + "," + kOldKey, {});
  const Keyring after(rotated);
  EXPECT_EQ(after.open(before, kPlace), "value");
  EXPECT_EQ(after.seal("value", kPlace).keyId, "new");
  EXPECT_EQ(after.olderKeyIds(), std::vector<std::string>{"old"});
  EXPECT_TRUE(keyring.olderKeyIds().empty());
}

TEST_F(KeyringTest, says_which_key_is_missing) {
  KeySource other(KeyKind::data, kNewKey, {});
  const Keyring without(other);
  const auto sealed = keyring.seal("value", kPlace).text;
  EXPECT_EQ(faultOf(without, sealed), "the data key old is missing");
  EXPECT_TRUE(keyring.holds("old"));
  EXPECT_FALSE(without.holds("old"));
}

TEST_F(KeyringTest, another_key_under_the_same_id_does_not_open) {
  KeySource other(KeyKind::data, "old:" + std::string(64, 'c'), {});
  const Keyring wrong(other);
  const auto sealed = keyring.seal("value", kPlace).text;
  EXPECT_NE(faultOf(wrong, sealed).find("altered"), std::string::npos);
  // Nor does a value that claims to be under a key that is there.
  KeySource both(KeyKind::data, kNewKey + "," + kOldKey, {});
  auto claimed = sealed;
  claimed.replace(3, 3, "new");
  EXPECT_NE(faultOf(Keyring(both), claimed).find("altered"), std::string::npos);
}

}  // namespace
}  // namespace tipflow
