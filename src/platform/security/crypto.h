// Thin, checked calls into OpenSSL and libsodium: hashes, HMAC, encodings, random bytes, passwords.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"

namespace tipflow::crypto {

/// Must be called once before anything else here.
void initialise();

std::string sha256(std::string_view data);
std::string hmacSha256(std::string_view key, std::string_view data);
std::string randomBytes(std::size_t count);
/// Equal, in a time that depends on the lengths only.
bool equal(std::string_view a, std::string_view b);

/// Overwrites a secret that is not needed any more.
void wipe(std::string& secret);

std::string toHex(std::string_view bytes);
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
