// OpenSSL would rather have EVP used: beside so little data its look-ups, counters shared by all
// threads and allocations cost as much as the hashing.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "platform/security/crypto.h"

#include <sodium.h>

#include <array>
#include <stdexcept>

namespace tipflow::crypto {
namespace {

constexpr int kBase64Variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;

void check(bool fine, const char* what) {
  if (!fine) throw std::runtime_error(what);
}

const unsigned char* asBytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Digest finished(SHA256_CTX state) {
  Digest digest;
  SHA256_Final(reinterpret_cast<unsigned char*>(digest.data()), &state);
  return digest;
}

// What HMAC puts before a text: the key, each byte changed by `pad`, as a whole block.
SHA256_CTX keyed(std::string_view key, char pad) {
  std::array<char, SHA256_CBLOCK> block;
  block.fill(pad);
  for (std::size_t i = 0; i < key.size(); ++i) block[i] = static_cast<char>(block[i] ^ key[i]);
  SHA256_CTX state;
  SHA256_Init(&state);
  SHA256_Update(&state, block.data(), block.size());
  sodium_memzero(block.data(), block.size());
  return state;
}

}  // namespace

void initialise() { check(sodium_init() >= 0, "libsodium did not start"); }

Digest sha256Digest(std::string_view data) {
  SHA256_CTX state;
  SHA256_Init(&state);
  SHA256_Update(&state, data.data(), data.size());
  return finished(state);
}

std::string sha256(std::string_view data) { return std::string(bytesOf(sha256Digest(data))); }

HmacKey::HmacKey(std::string key) : bytes_(std::move(key)) {
  const auto used = bytes_.size() > SHA256_CBLOCK ? sha256(bytes_) : bytes_;
  inner_ = keyed(used, 0x36);
  outer_ = keyed(used, 0x5C);
}

Digest HmacKey::sign(std::string_view data) const {
  SHA256_CTX state = inner_;
  SHA256_Update(&state, data.data(), data.size());
  const auto inner = finished(state);
  state = outer_;
  SHA256_Update(&state, inner.data(), inner.size());
  return finished(state);
}

std::string hmacSha256(std::string_view key, std::string_view data) {
  return std::string(bytesOf(HmacKey(std::string(key)).sign(data)));
}

std::string randomBytes(std::size_t count) {
  std::string bytes(count, '\0');
  randombytes_buf(bytes.data(), count);
  return bytes;
}

bool equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

void wipe(std::string& secret) {
  sodium_memzero(secret.data(), secret.size());
  secret.clear();
}

std::string toHex(std::string_view bytes) {
  std::string hex;
  appendHex(hex, bytes);
  return hex;
}

void appendHex(std::string& out, std::string_view bytes) {
  // Reckoned, not looked up: how long it takes tells nothing of a secret.
  constexpr auto kDigit = [](unsigned half) {
    return static_cast<char>('0' + half + (((9U - half) >> 8U) & ('a' - '0' - 10U)));
  };
  auto at = out.size();
  out.resize(at + bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out[at++] = kDigit(byte >> 4U);
    out[at++] = kDigit(byte & 0xFU);
  }
}

std::optional<std::string> fromHex(std::string_view hex) {
  std::string bytes(hex.size() / 2, '\0');
  std::size_t size = 0;
  const char* end = nullptr;
  if (hex.size() % 2 != 0 ||
      sodium_hex2bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), hex.data(),
                     hex.size(), nullptr, &size, &end) != 0 ||
      end != hex.data() + hex.size()) {
    return std::nullopt;
  }
  return bytes;
}

std::string toBase64Url(std::string_view bytes) {
  std::string text(sodium_base64_encoded_len(bytes.size(), kBase64Variant), '\0');
  sodium_bin2base64(text.data(), text.size(), asBytes(bytes), bytes.size(), kBase64Variant);
  text.resize(text.size() - 1);
  return text;
}

std::optional<std::string> fromBase64Url(std::string_view text) {
  std::string bytes(text.size(), '\0');
  std::size_t size = 0;
  const char* end = nullptr;
  if (sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), text.data(),
                        text.size(), nullptr, &size, &end, kBase64Variant) != 0 ||
      end != text.data() + text.size()) {
    return std::nullopt;
  }
  bytes.resize(size);
  return bytes;
}

std::string hashPassword(std::string_view password, const PasswordCost& cost) {
  std::array<char, crypto_pwhash_STRBYTES> hash{};
  check(crypto_pwhash_str_alg(hash.data(), password.data(), password.size(),
                              static_cast<unsigned long long>(cost.passes),
                              static_cast<std::size_t>(cost.memoryKib) * 1024,
                              crypto_pwhash_ALG_ARGON2ID13) == 0,
        "a password could not be hashed (out of memory)");
  return hash.data();
}

bool verifyPassword(const std::string& hash, std::string_view password) {
  return crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0;
}

std::uint64_t SystemRandom::bits() {
  // A cryptographic generator costs a system call each; ids take them by the block.
  thread_local std::array<std::uint64_t, 128> pool{};
  thread_local std::size_t next = pool.size();
  if (next == pool.size()) {
    randombytes_buf(pool.data(), sizeof pool);
    next = 0;
  }
  return pool[next++];
}

}  // namespace tipflow::crypto
