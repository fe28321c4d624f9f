// Thin, checked calls into OpenSSL and libsodium: hashes, HMAC, encodings, random bytes, passwords.
#pragma once

#include <openssl/sha.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"

namespace tipflow::crypto {

/// Must be called once before anything else here.
void initialise();

using Digest = std::array<char, SHA256_DIGEST_LENGTH>;
inline std::string_view bytesOf(const Digest& digest) { return {digest.data(), digest.size()}; }

Digest sha256Digest(std::string_view data);
std::string sha256(std::string_view data);
std::string hmacSha256(std::string_view key, std::string_view data);

/// A key that many texts are signed with: what HMAC-SHA256 makes of the key alone is made once,
/// which is a third of the work for a text as short as a request's.
class HmacKey {
 public:
  HmacKey() : HmacKey(std::string{}) {}
  /// Raw bytes.
  HmacKey(std::string key);  // NOLINT(google-explicit-constructor): a key is its bytes
  [[nodiscard]] Digest sign(std::string_view data) const;
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
  SHA256_CTX inner_;  // behind the block that the key makes inside
  SHA256_CTX outer_;  // and the one outside
};

std::string randomBytes(std::size_t count);
/// Equal, in a time that depends on the lengths only.
bool equal(std::string_view a, std::string_view b);

/// Overwrites a secret that is not needed any more.
void wipe(std::string& secret);

std::string toHex(std::string_view bytes);
void appendHex(std::string& out, std::string_view bytes);
std::optional<std::string> fromHex(std::string_view hex);
std::string toBase64Url(std::string_view bytes);
std::optional<std::string> fromBase64Url(std::string_view text);

/// Cost of a new password hash.
struct PasswordCost {
  std::int64_t memoryKib = 65'536;
  std::int64_t passes = 2;
};
/// argon2id; takes tens of milliseconds by design: never on an event loop.
std::string hashPassword(std::string_view password, const PasswordCost& cost);
bool verifyPassword(const std::string& hash, std::string_view password);

/// The system's randomness, for ids; may be shared between threads.
class SystemRandom final : public Random {
 public:
  std::uint64_t bits() override;
};

}  // namespace tipflow::crypto
