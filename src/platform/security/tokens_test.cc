#include "platform/security/tokens.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "platform/security/crypto.h"

namespace tipflow {
namespace {

constexpr Time kNow{1'770'000'000'000'000};
constexpr Duration kHour{kUsPerHour};

std::vector<std::string> partsOf(const std::string& token) {
  std::vector<std::string> parts(1);
  for (const char c : token) {
    if (c == '.') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

struct TokensTest : testing::Test {
  static void SetUpTestSuite() { crypto::initialise(); }

  std::string key = std::string(32, 'k');
  ManualClock clock{kNow};
  SeededRandom random{1};
  LocalBus bus;
  Revocations revocations{clock, bus};
  Tokens tokens{key, clock, random, revocations};

  std::string issue(PrincipalKind kind = PrincipalKind::viewer, std::int64_t id = 9,
                    Role role = Role::viewer) {
    return tokens.issue(kind, id, role).token;
  }
  // A token of these parts with a signature that is right for them.
  [[nodiscard]] std::string sealed(std::string_view header, std::string_view payload) const {
    const auto text = crypto::toBase64Url(header) + "." + crypto::toBase64Url(payload);
    return text + "." + crypto::toBase64Url(crypto::hmacSha256(key, text));
  }
  [[nodiscard]] std::string keyId() const {
    return crypto::toHex(crypto::sha256(key)).substr(0, 8);
  }
  [[nodiscard]] std::string header(std::string_view algorithm) const {
    return fmt::format(R"({{"alg":"{}","kid":"{}","typ":"JWT"}})", algorithm, keyId());
  }
  [[nodiscard]] std::string payload(std::string_view role = "viewer") const {
    return fmt::format(R"({{"sub":"9","kind":"viewer","role":"{}","jti":"t1","iat":{},"exp":{}}})",
                       role, kNow.us / kUsPerSecond, kNow.us / kUsPerSecond + 3'600);
  }
};

TEST_F(TokensTest, a_token_says_who_holds_it) {
  const auto viewer = tokens.verify(issue(PrincipalKind::viewer, 9, Role::viewer));
  ASSERT_TRUE(viewer);
  EXPECT_EQ(viewer->kind, PrincipalKind::viewer);
  EXPECT_EQ(viewer->id, 9);
  EXPECT_EQ(viewer->role, Role::viewer);

  const auto admin = tokens.verify(issue(PrincipalKind::operator_, kIdEnd - 1, Role::admin));
  ASSERT_TRUE(admin);
  EXPECT_EQ(admin->kind, PrincipalKind::operator_);
  EXPECT_EQ(admin->id, kIdEnd - 1);
  EXPECT_EQ(admin->role, Role::admin);
}

TEST_F(TokensTest, a_token_is_what_this_test_thinks_it_is) {
  // The forgeries below are close to the real thing: made with the key they would pass.
  EXPECT_TRUE(tokens.verify(sealed(header("HS256"), payload())));
}

TEST_F(TokensTest, the_signing_key_is_bound_to_the_token_and_given_once) {
  const auto issued = tokens.issue(PrincipalKind::viewer, 9, Role::viewer);
  const auto again = tokens.issue(PrincipalKind::viewer, 9, Role::viewer);
  const auto principal = tokens.verify(issued.token);
  ASSERT_TRUE(principal);
  EXPECT_EQ(crypto::toBase64Url(principal->signingKey.bytes()), issued.signingKey);
  EXPECT_EQ(principal->signingKey.bytes().size(), 32U);
  EXPECT_NE(issued.signingKey, again.signingKey);
  EXPECT_EQ(issued.token.find(issued.signingKey), std::string::npos);
}

TEST_F(TokensTest, viewers_and_anchors_stay_for_twelve_hours_and_operators_for_one) {
  const auto lasts = [&](PrincipalKind kind, Role role, Duration life) {
    clock.set(kNow);
    const auto issued = tokens.issue(kind, 9, role);
    EXPECT_EQ(issued.expiresAt, kNow + life);
    clock.set(kNow + life - Duration{1});
    EXPECT_TRUE(tokens.verify(issued.token));
    clock.set(kNow + life);
    EXPECT_FALSE(tokens.verify(issued.token)) << "when it was verified before";
    const auto unseen = [&] {
      clock.set(kNow);
      const auto token = tokens.issue(kind, 9, role).token;
      clock.set(kNow + life);
      return token;
    }();
    EXPECT_FALSE(tokens.verify(unseen)) << "when it was never seen before";
  };
  lasts(PrincipalKind::viewer, Role::viewer, kHour * 12);
  lasts(PrincipalKind::anchor, Role::anchor, kHour * 12);
  lasts(PrincipalKind::operator_, Role::operator_, kHour);
  lasts(PrincipalKind::operator_, Role::admin, kHour);
}

TEST_F(TokensTest, no_token_outlives_what_its_answer_said) {
  clock.set(kNow + Duration{999'999});
  const auto issued = tokens.issue(PrincipalKind::viewer, 9, Role::viewer);
  EXPECT_LE(issued.expiresAt, clock.now() + kHour * 12);
  EXPECT_EQ(tokens.verify(issued.token)->expiresAt, issued.expiresAt);
}

TEST_F(TokensTest, refuses_what_is_no_token) {
  for (const auto* text : {"", ".", "..", "...", "a.b", "a.b.c", "Bearer x", "e30.e30.e30"}) {
    EXPECT_FALSE(tokens.verify(text)) << text;
  }
  EXPECT_FALSE(tokens.verify(std::string(100'000, 'a')));
  EXPECT_FALSE(tokens.verify(std::string(512, '.')));
}

TEST_F(TokensTest, every_changed_character_of_a_token_makes_it_worthless) {
  const auto token = issue();
  ASSERT_TRUE(tokens.verify(token));
  for (std::size_t i = 0; i < token.size(); ++i) {
    auto changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    if (changed == token) continue;
    EXPECT_FALSE(tokens.verify(changed)) << "at " << i;
  }
  EXPECT_FALSE(tokens.verify(token + "A"));
  EXPECT_FALSE(tokens.verify(token + "="));
  EXPECT_FALSE(tokens.verify(token.substr(0, token.size() - 1)));
  EXPECT_TRUE(tokens.verify(token));
}

TEST_F(TokensTest, a_payload_of_ones_own_under_the_signature_of_another_is_refused) {
  const auto parts = partsOf(issue());
  ASSERT_EQ(parts.size(), 3U);
  const auto forged = crypto::toBase64Url(payload("admin"));
  EXPECT_FALSE(tokens.verify(parts[0] + "." + forged + "." + parts[2]));
  EXPECT_FALSE(tokens.verify(parts[0] + "." + forged + "."));
}

TEST_F(TokensTest, only_the_accepted_algorithm_verifies) {
  const auto unsigned_ = crypto::toBase64Url(header("none")) + "." + crypto::toBase64Url(payload());
  EXPECT_FALSE(tokens.verify(unsigned_ + "."));
  EXPECT_FALSE(tokens.verify(unsigned_));
  // Even under a signature that is right, another algorithm's name is not taken.
  for (const auto* algorithm : {"none", "None", "hs256", "HS384", "HS512", "RS256", "EdDSA", ""}) {
    EXPECT_FALSE(tokens.verify(sealed(header(algorithm), payload()))) << algorithm;
  }
  EXPECT_FALSE(tokens.verify(sealed(R"({"typ":"JWT"})", payload())));
  EXPECT_FALSE(tokens.verify(sealed("[]", payload())));
}

TEST_F(TokensTest, only_a_known_key_verifies) {
  Tokens others(std::string(32, 'x'), clock, random, revocations);
  const auto foreign = others.issue(PrincipalKind::operator_, 1, Role::admin).token;
  EXPECT_TRUE(others.verify(foreign));
  EXPECT_FALSE(tokens.verify(foreign));
  EXPECT_FALSE(tokens.verify(sealed(R"({"alg":"HS256","kid":"00000000","typ":"JWT"})", payload())));
}

Keys listOf(std::initializer_list<char> fills) {
  KeyList keys;
  for (const char fill : fills) keys.push_back(tokenKey(std::string(32, fill), kNow));
  return std::make_shared<const KeyList>(std::move(keys));
}

TEST_F(TokensTest, a_new_key_signs_and_nobody_is_logged_out) {
  const auto before = tokens.issue(PrincipalKind::viewer, 9, Role::viewer);
  ASSERT_TRUE(tokens.verify(before.token));
  tokens.useKeys(listOf({'n', 'k'}));

  const auto principal = tokens.verify(before.token);
  ASSERT_TRUE(principal);
  EXPECT_EQ(crypto::toBase64Url(principal->signingKey.bytes()), before.signingKey);
  Tokens unseen(listOf({'n', 'k'}), clock, random, revocations);
  EXPECT_TRUE(unseen.verify(before.token)) << "by a node that never saw it";

  const auto after = issue();
  Tokens onlyNew(listOf({'n'}), clock, random, revocations);
  EXPECT_TRUE(onlyNew.verify(after));
  EXPECT_FALSE(onlyNew.verify(before.token));
  EXPECT_TRUE(tokens.verify(after));
}

TEST_F(TokensTest, a_token_dies_with_its_key_also_where_it_was_verified_before) {
  const auto old = issue();
  ASSERT_TRUE(tokens.verify(old));
  tokens.useKeys(listOf({'n', 'k'}));
  const auto fresh = issue();
  ASSERT_TRUE(tokens.verify(fresh));
  tokens.useKeys(listOf({'n'}));
  EXPECT_FALSE(tokens.verify(old));
  EXPECT_TRUE(tokens.verify(fresh));
}

TEST_F(TokensTest, a_token_of_one_key_under_the_id_of_another_is_refused) {
  tokens.useKeys(listOf({'n', 'k'}));
  ASSERT_TRUE(tokens.verify(sealed(header("HS256"), payload()))) << "signed by k, says k";
  const auto idOfNew = tokenKey(std::string(32, 'n'), kNow).id;
  const auto claimed = fmt::format(R"({{"alg":"HS256","kid":"{}","typ":"JWT"}})", idOfNew);
  EXPECT_FALSE(tokens.verify(sealed(claimed, payload()))) << "signed by k, says n";
  for (const auto* kid : {R"("")", R"("none")", "null", "0", "[]", R"(["6b"])"}) {
    const auto odd = fmt::format(R"({{"alg":"HS256","kid":{},"typ":"JWT"}})", kid);
    EXPECT_FALSE(tokens.verify(sealed(odd, payload()))) << kid;
  }
  EXPECT_FALSE(tokens.verify(sealed(R"({"alg":"HS256","typ":"JWT"})", payload()))) << "no id";
}

TEST_F(TokensTest, no_algorithm_but_ours_verifies_whichever_key_is_named) {
  tokens.useKeys(listOf({'n', 'k'}));
  for (const char fill : {'n', 'k'}) {
    const std::string secret(32, fill);
    const auto id = tokenKey(secret, kNow).id;
    for (const auto* algorithm : {"none", "HS384", "RS256", "EdDSA"}) {
      const auto head = fmt::format(R"({{"alg":"{}","kid":"{}","typ":"JWT"}})", algorithm, id);
      const auto text = crypto::toBase64Url(head) + "." + crypto::toBase64Url(payload());
      EXPECT_FALSE(tokens.verify(text + "."));
      EXPECT_FALSE(
          tokens.verify(text + "." + crypto::toBase64Url(crypto::hmacSha256(secret, text))));
    }
  }
}

TEST_F(TokensTest, know_how_old_their_newest_key_is) {
  EXPECT_FALSE(tokens.newestKeyMadeAt());
  tokens.useKeys(listOf({'n', 'k'}));
  EXPECT_EQ(tokens.newestKeyMadeAt(), kNow);
}

TEST_F(TokensTest, what_a_right_signature_covers_must_still_make_sense) {
  EXPECT_FALSE(tokens.verify(sealed(header("HS256"), "{}")));
  EXPECT_FALSE(tokens.verify(sealed(header("HS256"), "not json")));
  EXPECT_FALSE(tokens.verify(sealed(header("HS256"), payload("root"))));
  EXPECT_FALSE(tokens.verify(
      sealed(header("HS256"), R"({"sub":"9","kind":"viewer","role":"viewer","jti":"t1"})")));
  EXPECT_FALSE(tokens.verify(
      sealed(header("HS256"),
             R"({"sub":"9","kind":"viewer","role":"viewer","jti":"t1","exp":"9999999999"})")));
  for (const auto* expires : {"9223372036854775807", "-9223372036854775808", "253402300800"}) {
    const auto text = fmt::format(
        R"({{"sub":"9","kind":"viewer","role":"viewer","jti":"t1","exp":{}}})", expires);
    EXPECT_FALSE(tokens.verify(sealed(header("HS256"), text))) << expires;
  }
}

TEST_F(TokensTest, a_revoked_token_is_dead_at_once_also_where_it_was_verified_before) {
  Tokens node(key, clock, random, revocations);
  const auto token = issue();
  const auto kept = issue();
  const auto principal = tokens.verify(token);
  ASSERT_TRUE(principal);
  ASSERT_TRUE(node.verify(token));

  drogon::sync_wait(tokens.revoke(principal));
  EXPECT_FALSE(tokens.verify(token));
  EXPECT_FALSE(node.verify(token));
  EXPECT_TRUE(node.verify(kept)) << "another token of the same person";
  EXPECT_EQ(revocations.all().size(), 1U);
  Tokens late(key, clock, random, revocations);
  EXPECT_FALSE(late.verify(token)) << "a node that never saw it";

  clock.advance(kHour * 12 - Duration{1});
  EXPECT_FALSE(tokens.verify(token));
}

// With somebody who acts between a look at it and what follows.
class InterruptedRevocations final : public Revocations {
 public:
  using Revocations::Revocations;
  [[nodiscard]] bool has(const std::string& tokenId) const override {
    const bool known = Revocations::has(tokenId);
    if (auto once = std::exchange(meanwhile, nullptr)) once();
    return known;
  }
  mutable std::function<void()> meanwhile;
};

TEST_F(TokensTest, a_revocation_that_meets_the_first_look_at_a_token_is_not_lost) {
  InterruptedRevocations interrupted(clock, bus);
  Tokens node(key, clock, random, interrupted);
  const auto token = issue();
  const auto principal = tokens.verify(token);
  ASSERT_TRUE(principal);
  interrupted.meanwhile = [&] {
    drogon::sync_wait(interrupted.revoke(principal->tokenId, principal->expiresAt));
  };
  (void)node.verify(token);
  EXPECT_FALSE(node.verify(token));
}

TEST_F(TokensTest, remembers_tokens_without_end_and_knows_each) {
  std::set<std::string> seen;
  for (std::int64_t id = 1; id <= 2'000; ++id) {
    const auto token = issue(PrincipalKind::viewer, id, Role::viewer);
    EXPECT_TRUE(seen.insert(token).second);
    for (int times = 0; times < 2; ++times) {
      const auto principal = tokens.verify(token);
      ASSERT_TRUE(principal);
      ASSERT_EQ(principal->id, id);
    }
  }
}

TEST(Role, has_the_contracts_words) {
  EXPECT_EQ(word(Role::viewer), "viewer");
  EXPECT_EQ(word(Role::anchor), "anchor");
  EXPECT_EQ(word(Role::operator_), "operator");
  EXPECT_EQ(word(Role::admin), "admin");
}

}  // namespace
}  // namespace tipflow
