#include "platform/http/signature.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <optional>
#include <thread>
#include <vector>

#include "platform/http/call.h"
#include "platform/security/crypto.h"

namespace tipflow::http {
namespace {

constexpr Time kNow{1'770'000'000'000'000};
constexpr Duration kWindow{300 * kUsPerSecond};

// A request as its client sent it.
struct Sent {
  std::string method = "POST";
  std::string target = "/api/v1/tips?dry=1";
  std::string timestamp;
  std::string nonce = "abcdefghijklmnop";
  std::string body = R"({"amount":1})";

  [[nodiscard]] SignedParts parts() const { return {method, target, timestamp, nonce, body}; }
};

struct SignatureTest : testing::Test {
  static void SetUpTestSuite() { crypto::initialise(); }

  ManualClock clock{kNow};
  LocalNonces nonces{clock, kNonceLifetime, 1'000};
  SignatureCheck check{true, clock, nonces};
  Principal principal;

  SignatureTest() {
    principal.tokenId = "token-1";
    principal.signingKey = std::string(32, 's');
  }

  static std::string ms(Time time) { return std::to_string(time.us / kUsPerMs); }
  [[nodiscard]] Sent sent(Time at) const {
    Sent made;
    made.timestamp = ms(at);
    return made;
  }
  [[nodiscard]] std::string sign(const Sent& request) const {
    return "v1=" + crypto::toHex(crypto::hmacSha256(principal.signingKey.bytes(),
                                                    signedText(request.parts())));
  }
  // Why the request is refused; nothing when it is not.
  std::optional<ErrorCode> refusal(const Sent& request, const std::string& signature,
                                   bool ownNonce = true) {
    return refusalBy(check, request, signature, ownNonce);
  }
  std::optional<ErrorCode> refusalBy(const SignatureCheck& by, const Sent& request,
                                     const std::string& signature, bool ownNonce = true) {
    try {
      const auto at = by.check(principal, request.parts(), signature);
      if (at && ownNonce) {
        drogon::sync_wait(by.takeNonce(principal.tokenId, request.nonce, *at, false));
      }
      return std::nullopt;
    } catch (const Refused& refused) {
      return refused.rejection().code;
    }
  }
};

TEST_F(SignatureTest, covers_the_lines_that_the_contract_names) {
  const Sent request = sent(kNow);
  EXPECT_EQ(signedText(request.parts()),
            "POST\n/api/v1/tips?dry=1\n1770000000000\nabcdefghijklmnop\n" +
                crypto::toHex(crypto::sha256(R"({"amount":1})")));
  Sent empty = request;
  empty.body = "";
  EXPECT_TRUE(signedText(empty.parts())
                  .ends_with("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
}

TEST_F(SignatureTest, that_is_right_is_taken) {
  EXPECT_EQ(refusal(sent(kNow), sign(sent(kNow))), std::nullopt);
}

TEST_F(SignatureTest, every_altered_part_is_seen) {
  const auto signature = sign(sent(kNow));
  const auto altered = [&](auto change) {
    Sent request = sent(kNow);
    change(request);
    return refusal(request, signature);
  };
  EXPECT_EQ(altered([](Sent& r) { r.method = "PUT"; }), ErrorCode::invalid_signature);
  EXPECT_EQ(altered([](Sent& r) { r.target = "/api/v1/tips"; }), ErrorCode::invalid_signature);
  EXPECT_EQ(altered([](Sent& r) { r.target = "/api/v1/tips?dry=2"; }),
            ErrorCode::invalid_signature);
  EXPECT_EQ(altered([](Sent& r) { r.timestamp = ms(kNow + Duration{kUsPerMs}); }),
            ErrorCode::invalid_signature);
  EXPECT_EQ(altered([](Sent& r) { r.nonce = "abcdefghijklmnoq"; }), ErrorCode::invalid_signature);
  EXPECT_EQ(altered([](Sent& r) { r.body = R"({"amount":2})"; }), ErrorCode::invalid_signature);
  EXPECT_EQ(altered([](Sent& r) { r.body += " "; }), ErrorCode::invalid_signature);
  EXPECT_EQ(altered([](Sent&) {}), std::nullopt);
}

TEST_F(SignatureTest, parts_cannot_be_moved_across_their_borders) {
  Sent request = sent(kNow);
  const auto signature = sign(request);
  request.method = "POST\n/api/v1/tips?dry=1";
  request.target = request.timestamp;
  EXPECT_NE(refusal(request, signature), std::nullopt);
}

TEST_F(SignatureTest, of_another_token_or_written_otherwise_is_not_taken) {
  const Sent request = sent(kNow);
  const auto signature = sign(request);
  for (const auto& wrong :
       {std::string(), std::string("v1="), std::string("v2=") + signature.substr(3),
        signature.substr(3), signature + "0", signature.substr(0, signature.size() - 1),
        std::string("v1=") + std::string(64, '0')}) {
    EXPECT_EQ(refusal(request, wrong), ErrorCode::invalid_signature) << wrong;
  }
  principal.signingKey = std::string(32, 't');
  EXPECT_EQ(refusal(request, signature), ErrorCode::invalid_signature);
}

TEST_F(SignatureTest, is_taken_within_five_minutes_of_our_clock_and_not_beyond) {
  clock.advance(kWindow * 2);
  const Time now = clock.now();
  int nonce = 0;
  const auto sentAt = [&](Time at) {
    Sent request = sent(at);
    request.nonce += std::to_string(++nonce);
    return refusal(request, sign(request));
  };
  EXPECT_EQ(sentAt(now - kWindow), std::nullopt);
  EXPECT_EQ(sentAt(now + kWindow), std::nullopt);
  EXPECT_EQ(sentAt(now - kWindow - Duration{kUsPerMs}), ErrorCode::stale_timestamp);
  EXPECT_EQ(sentAt(now + kWindow + Duration{kUsPerMs}), ErrorCode::stale_timestamp);
  EXPECT_EQ(sentAt(Time{kUsPerMs}), ErrorCode::stale_timestamp);
}

TEST_F(SignatureTest, needs_a_timestamp_in_unix_milliseconds) {
  for (const auto* timestamp :
       {"", "x", "1770000000000x", "01770000000000", "0", " 1770000000000", "-1", "1770000000000.0",
        "99999999999999999999", "+1770000000000"}) {
    Sent request = sent(kNow);
    request.timestamp = timestamp;
    EXPECT_EQ(refusal(request, sign(request)), ErrorCode::invalid_signature) << timestamp;
  }
  // Seconds instead of milliseconds, and the largest number that is taken at all.
  for (const auto* timestamp : {"1770000000", "999999999999999"}) {
    Sent request = sent(kNow);
    request.timestamp = timestamp;
    EXPECT_EQ(refusal(request, sign(request)), ErrorCode::stale_timestamp) << timestamp;
  }
}

TEST_F(SignatureTest, needs_a_nonce_of_16_to_64_url_safe_characters) {
  for (const auto& nonce : {std::string(), std::string(15, 'a'), std::string(65, 'a'),
                            std::string("abcdefghijklmno "), std::string("abcdefghijklmno="),
                            std::string("abcdefghijklmno\n"), std::string("abcdefghijklmno/")}) {
    Sent request = sent(kNow);
    request.nonce = nonce;
    for (const bool own : {true, false}) {
      EXPECT_EQ(refusal(request, sign(request), own), ErrorCode::invalid_signature) << nonce;
    }
  }
  for (const auto& nonce :
       {std::string(16, 'a'), std::string(64, 'Z'), std::string("09_-azAZ09_-azAZ")}) {
    Sent request = sent(kNow);
    request.nonce = nonce;
    EXPECT_EQ(refusal(request, sign(request)), std::nullopt) << nonce;
  }
}

TEST_F(SignatureTest, a_nonce_is_good_for_one_request_of_its_token) {
  const Sent request = sent(kNow);
  EXPECT_EQ(refusal(request, sign(request)), std::nullopt);
  EXPECT_EQ(refusal(request, sign(request)), ErrorCode::nonce_used);
  Sent other = request;
  other.body = R"({"amount":2})";
  EXPECT_EQ(refusal(other, sign(other)), ErrorCode::nonce_used) << "for another body either";

  principal.tokenId = "token-2";
  EXPECT_EQ(refusal(request, sign(request)), std::nullopt) << "the nonce of another token";
}

TEST_F(SignatureTest, a_request_cannot_be_replayed_for_as_long_as_it_is_in_the_window) {
  const Sent request = sent(kNow + kWindow - Duration{kUsPerMs});
  const auto signature = sign(request);
  EXPECT_EQ(refusal(request, signature), std::nullopt);
  for (int minutes = 0; minutes < 12; ++minutes) {
    EXPECT_NE(refusal(request, signature), std::nullopt) << minutes;
    clock.advance(Duration{60 * kUsPerSecond});
  }
}

TEST_F(SignatureTest, a_forged_request_does_not_use_up_the_nonce) {
  const Sent request = sent(kNow);
  EXPECT_EQ(refusal(request, "v1=" + std::string(64, '0')), ErrorCode::invalid_signature);
  EXPECT_EQ(refusal(request, sign(request)), std::nullopt);
}

TEST_F(SignatureTest, where_the_trace_id_is_the_nonce_a_replay_passes_to_be_answered_as_before) {
  const Sent request = sent(kNow);
  EXPECT_EQ(refusal(request, sign(request), false), std::nullopt);
  EXPECT_EQ(refusal(request, sign(request), false), std::nullopt);
  Sent altered = request;
  altered.body = R"({"amount":2})";
  EXPECT_EQ(refusal(altered, sign(request), false), ErrorCode::invalid_signature);
}

TEST_F(SignatureTest, what_was_sent_before_the_nonce_store_began_is_refused) {
  // Whether its nonce was used is forgotten.
  const Sent before = sent(kNow - Duration{2 * kUsPerMs});
  EXPECT_EQ(refusal(before, sign(before)), ErrorCode::stale_timestamp);
  EXPECT_EQ(refusal(before, sign(before), false), std::nullopt) << "DB1 knows its traceId";
  const Sent since = sent(kNow);
  EXPECT_EQ(refusal(since, sign(since)), std::nullopt);
}

TEST_F(SignatureTest, stamped_ahead_of_our_clock_cannot_be_replayed_after_a_restart) {
  const auto file = testing::TempDir() + "/nonces-ahead-" + std::to_string(getpid());
  std::filesystem::remove(file);
  nonces.keepIn(file);
  const Sent ahead = sent(kNow + kWindow);
  EXPECT_EQ(refusal(ahead, sign(ahead)), std::nullopt);
  for (const int seconds : {0, 10, 299, 300, 500, 600}) {
    clock.set(kNow + Duration{seconds * kUsPerSecond});
    LocalNonces next(clock, kNonceLifetime, 1'000);
    next.keepIn(file);
    const SignatureCheck restarted(true, clock, next);
    EXPECT_NE(refusalBy(restarted, ahead, sign(ahead)), std::nullopt) << seconds;
    Sent fresh = sent(clock.now());
    fresh.nonce = "another-nonce-entirely";
    EXPECT_EQ(refusalBy(restarted, fresh, sign(fresh)), std::nullopt) << "nobody else is kept out";
  }
  std::filesystem::remove(file);
}

TEST_F(SignatureTest, is_refused_as_overload_when_no_further_nonce_can_be_kept) {
  LocalNonces one(clock, kNonceLifetime, 1);
  const SignatureCheck small(true, clock, one);
  const auto refusalOf = [&](const Sent& request) {
    return refusalBy(small, request, sign(request));
  };
  const Sent first = sent(kNow);
  Sent second = first;
  second.nonce = "another-nonce-entirely";
  EXPECT_EQ(refusalOf(first), std::nullopt);
  EXPECT_EQ(refusalOf(second), ErrorCode::overloaded);
  EXPECT_EQ(refusalOf(first), ErrorCode::nonce_used);
}

// The other nodes cannot be asked; what bears being repeated goes on.
class LonelyNonces final : public Nonces {
 public:
  drogon::Task<Taken> take(Use use) override {
    co_return use.repeatable ? Taken::fresh : Taken::away;
  }
};

TEST_F(SignatureTest, is_refused_for_now_when_no_other_node_can_be_asked_for_the_nonce) {
  LonelyNonces lonely;
  const SignatureCheck alone(true, clock, lonely);
  const Sent request = sent(kNow);
  EXPECT_EQ(refusalBy(alone, request, sign(request)), ErrorCode::unavailable);
  EXPECT_NO_THROW(drogon::sync_wait(alone.takeNonce(principal.tokenId, request.nonce, kNow, true)));
}

TEST_F(SignatureTest, of_64_equal_requests_at_once_one_is_taken) {
  const Sent request = sent(kNow);
  const auto signature = sign(request);
  std::atomic<int> taken{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 64; ++i) {
      threads.emplace_back([&] {
        if (!refusal(request, signature)) ++taken;
      });
    }
  }
  EXPECT_EQ(taken, 1);
}

TEST_F(SignatureTest, is_not_needed_where_it_is_switched_off_but_checked_when_it_comes) {
  const SignatureCheck optional(false, clock, nonces);
  const Sent request = sent(kNow);
  EXPECT_EQ(optional.check(principal, SignedParts{}, ""), std::nullopt);
  EXPECT_EQ(optional.check(principal, request.parts(), sign(request)), kNow);
  EXPECT_THROW((void)optional.check(principal, request.parts(), "v1=00"), Refused);
}

}  // namespace
}  // namespace tipflow::http
