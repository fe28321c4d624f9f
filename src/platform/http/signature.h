// Signed requests: proof that the holder of the token made exactly this request, now, once.
#pragma once

#include <drogon/utils/coroutine.h>

#include <optional>
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
  SignatureCheck(bool required, const Clock& clock, Nonces& nonces)
      : required_(required), clock_(clock), nonces_(nonces) {}
  /// `signature` is the header's value, empty when it did not come. When the request was sent, or
  /// nothing when it came without a signature and needs none. Throws Refused: invalid_signature,
  /// stale_timestamp.
  std::optional<Time> check(const Principal& principal, const SignedParts& parts,
                            std::string_view signature) const;
  /// Of a request whose signature was checked: uses its nonce up. `repeatable`: as Nonces::Use
  /// says. Throws Refused: nonce_used; stale_timestamp when it may be a replay of what the store of
  /// nonces does not know; overloaded when no further one can be kept; unavailable when the other
  /// nodes' cannot be known.
  drogon::Task<> takeNonce(std::string tokenId, std::string nonce, Time sent,
                           bool repeatable) const;

 private:
  bool required_;
  const Clock& clock_;
  Nonces& nonces_;
};

}  // namespace tipflow::http
