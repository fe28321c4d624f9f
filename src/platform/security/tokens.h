// Who asks: tokens (JWT, HS256) and the principal they prove.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/enums.h"
#include "base/random.h"
#include "base/time.h"
#include "base/trace_id.h"
#include "platform/metrics.h"
#include "platform/security/crypto.h"
#include "platform/security/key_list.h"
#include "platform/security/revocations.h"

namespace tipflow {

enum class Role { viewer = 1, anchor = 2, operator_ = 3, admin = 4 };

/// Whoever a token speaks for.
struct Principal {
  PrincipalKind kind = PrincipalKind::viewer;
  std::int64_t id = 0;
  Role role = Role::viewer;
  std::string tokenId;
  Time expiresAt;
  crypto::HmacKey signingKey;  ///< signs requests made with this token
};

struct IssuedToken {
  std::string token;
  Time expiresAt;
  std::string signingKey;  ///< base64url
};

/// How long tokens last: of viewers and anchors, and of operators.
inline constexpr Duration kPersonLifetime{12 * kUsPerHour};
inline constexpr Duration kOperatorLifetime{1 * kUsPerHour};

/// Makes and checks tokens. Only HS256 under a known key id verifies. Thread-safe.
class Tokens {
 public:
  /// `keys`: the same on every node. The first one signs, all of them verify.
  Tokens(Keys keys, const Clock& clock, Random& random, Revocations& revocations);
  /// With one key, of 32 bytes.
  Tokens(std::string_view key, const Clock& clock, Random& random, Revocations& revocations);
  /// From now on these keys hold. Tokens under a key that is still there stay good; those under a
  /// key that has gone are dead.
  void useKeys(Keys keys);
  /// Before they are used: look-ups of verified tokens.
  void measure(CacheCounters counters) { counters_ = counters; }

  /// When the newest key was made, as far as it is known.
  [[nodiscard]] std::optional<Time> newestKeyMadeAt() const { return newestMadeAt(*keys()); }

  IssuedToken issue(PrincipalKind kind, std::int64_t id, Role role);
  /// nullptr when the token is malformed, forged, expired or revoked.
  std::shared_ptr<const Principal> verify(std::string_view token);
  /// Dead here from now on, and on all other nodes when this returns, or, while Redis is away, once
  /// they can be told.
  drogon::Task<> revoke(std::shared_ptr<const Principal> principal);

 private:
  [[nodiscard]] Keys keys() const;
  [[nodiscard]] std::optional<Principal> decode(std::string_view token, const KeyList& keys) const;

  // Verified tokens, so that one request in a thousand pays for the HMAC and the JSON.
  // A token's end is its signature: as good a hash as any, and short.
  struct EndHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view token) const {
      constexpr std::size_t kEnd = 16;
      return std::hash<std::string_view>{}(
          token.substr(token.size() - std::min(token.size(), kEnd)));
    }
  };
  struct Shard {
    std::shared_mutex mutex;
    std::unordered_map<std::string, std::shared_ptr<const Principal>, EndHash, std::equal_to<>>
        known;
  };
  Shard& shardOf(std::string_view token);
  static void forget(Shard& shard, std::string_view token);

  mutable std::mutex keysMutex_;
  Keys keys_;
  const Clock& clock_;
  Random& random_;
  Revocations& revocations_;
  CacheCounters counters_;
  std::array<Shard, 16> shards_;
};

}  // namespace tipflow

template <>
struct tipflow::EnumWords<tipflow::Role> {
  static constexpr std::array values{std::pair{std::string_view{"viewer"}, Role::viewer},
                                     std::pair{std::string_view{"anchor"}, Role::anchor},
                                     std::pair{std::string_view{"operator"}, Role::operator_},
                                     std::pair{std::string_view{"admin"}, Role::admin}};
};
