// Signed requests: proof that the holder of the token made exactly this request, now, once.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "platform/nonces.h"
#include "platform/security/tokens.h"

namespace tipflow::http {

/// What a signature covers. `target` is the path and query as sent.
struct SignedParts {
  std::string_view method;
  std::string_view target;
  std::string_view timestamp;
  std::string_view nonce;
  std::string_view body;
};

/// The text under the signature: METHOD \n path?query \n timestamp \n nonce \n hex SHA-256(body).
std::string signedText(const SignedParts& parts);

/// How long a nonce must be kept: longer than a request can stay within the window, both ends
/// included.
inline constexpr Duration kNonceLifetime{601 * kUsPerSecond};

class SignatureCheck {
 public:
  /// `nonces` hold only lasting ones yet: what was sent before now may be a replay of what they
  /// forgot.
  SignatureCheck(bool required, const Clock& clock, Nonces& nonces)
      : required_(required), clock_(clock), nonces_(nonces), storeStarted_(clock.now()) {}
  /// `signature` is the header's value, empty when it did not come. `ownNonce`: whether the nonce
  /// must be fresh (false where the traceId in the body does that).
  /// Throws Refused: invalid_signature, stale_timestamp, nonce_used; overloaded when no further
  /// nonce can be kept.
  void check(const Principal& principal, const SignedParts& parts, std::string_view signature,
             bool ownNonce) const;

 private:
  void takeNonce(const Principal& principal, std::string_view nonce, Time sent) const;

  bool required_;
  const Clock& clock_;
  Nonces& nonces_;
  Time storeStarted_;
};

}  // namespace tipflow::http
