// Signed requests: accepted exactly when the signature is right, the time within the window and the
// nonce well-formed and unused. Input, a line each: how (`s`: with the right signature, else with
// the one given), method, target, timestamp, nonce, signature; the rest is the body.
#include "platform/http/signature.h"

#include <algorithm>

#include "platform/http/call.h"
#include "platform/security/crypto.h"
#include "property.h"

namespace tipflow::http {
namespace {

using fuzz::require;

constexpr Time kNow{1'770'000'000 * kUsPerSecond};
constexpr std::int64_t kWindowMs = 300'000;

bool isDigit(char c) { return c >= '0' && c <= '9'; }

// The timestamps of the contract: Unix milliseconds in decimal, within the window around `kNow`.
bool inTime(std::string_view timestamp) {
  if (timestamp.empty() || timestamp.size() > 15 || timestamp.front() == '0' ||
      !std::all_of(timestamp.begin(), timestamp.end(), isDigit)) {
    return false;
  }
  const auto ms = std::stoll(std::string(timestamp));
  return std::abs(ms - kNow.us / kUsPerMs) <= kWindowMs;
}

bool isNonce(std::string_view nonce) {
  return nonce.size() >= 16 && nonce.size() <= 64 &&
         std::all_of(nonce.begin(), nonce.end(), [](char c) {
           return isDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
                  c == '_';
         });
}

std::string rightSignature(const Principal& principal, const SignedParts& parts) {
  std::string text(parts.method);
  for (const auto part : {parts.target, parts.timestamp, parts.nonce}) {
    text += '\n';
    text += part;
  }
  text += '\n' + crypto::toHex(crypto::sha256(parts.body));
  return "v1=" + crypto::toHex(crypto::hmacSha256(principal.signingKey.bytes(), text));
}

// The code of the refusal, or nothing when the request is accepted.
std::optional<ErrorCode> outcome(const SignatureCheck& check, const Principal& principal,
                                 const SignedParts& parts, std::string_view signature) {
  try {
    const auto sent = check.check(principal, parts, signature);
    if (sent) {
      drogon::sync_wait(check.takeNonce(principal.tokenId, std::string(parts.nonce), *sent, false));
    }
    return std::nullopt;
  } catch (const Refused& refused) {
    return refused.rejection().code;
  }
}

void checkSignature(std::string_view input) {
  const bool signRight = fuzz::take(input, '\n') == "s";
  SignedParts parts;
  parts.method = fuzz::take(input, '\n');
  parts.target = fuzz::take(input, '\n');
  parts.timestamp = fuzz::take(input, '\n');
  parts.nonce = fuzz::take(input, '\n');
  const auto given = fuzz::take(input, '\n');
  parts.body = input;

  Principal principal;
  principal.tokenId = "token";
  principal.signingKey = std::string(32, 's');
  ManualClock clock(kNow - Duration{kWindowMs * kUsPerMs * 2});
  LocalNonces nonces(clock, kNonceLifetime, 100);
  const SignatureCheck check(true, clock, nonces);
  clock.set(kNow);

  const auto right = rightSignature(principal, parts);
  const auto signature = signRight ? right : std::string(given);
  const bool deserves = signature == right && inTime(parts.timestamp) && isNonce(parts.nonce);
  const auto refusal = outcome(check, principal, parts, signature);
  require(!refusal == deserves, "accepted exactly when signature, time and nonce are right");
  if (refusal) {
    require(*refusal == ErrorCode::invalid_signature || *refusal == ErrorCode::stale_timestamp,
            "a refusal says what is wrong");
    return;
  }
  require(outcome(check, principal, parts, signature) == ErrorCode::nonce_used,
          "the same request a second time is refused");
  const auto longer = std::string(parts.body) + ' ';
  parts.body = longer;
  require(outcome(check, principal, parts, signature) == ErrorCode::invalid_signature,
          "another body under the same signature is refused");
}

}  // namespace
}  // namespace tipflow::http

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  tipflow::crypto::initialise();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tipflow::http::checkSignature(tipflow::fuzz::asText(data, size));
  return 0;
}
