#include "platform/security/crypto.h"

#include <openssl/evp.h>
#include <openssl/params.h>
#include <sodium.h>

#include <array>
#include <memory>
#include <stdexcept>

namespace tipflow::crypto {
namespace {

constexpr int kBase64Variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;

void check(bool fine, const char* what) {
  if (!fine) throw std::runtime_error(what);
}

// Looking an algorithm up costs more than using it: once a process, and a context a thread.
EVP_MD* sha256Algorithm() {
  static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return algorithm;
}

EVP_MAC_CTX* hmacTemplate() {
  static EVP_MAC_CTX* const context = [] {
    EVP_MAC* mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    check(mac != nullptr, "OpenSSL has no HMAC");
    EVP_MAC_CTX* made = EVP_MAC_CTX_new(mac);
    std::array<char, 7> digest{"SHA256"};
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string("digest", digest.data(), 0),
                                 OSSL_PARAM_construct_end()};
    check(made != nullptr && EVP_MAC_CTX_set_params(made, params) == 1, "OpenSSL: HMAC set-up");
    return made;
  }();
  return context;
}

const unsigned char* asBytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

void initialise() { check(sodium_init() >= 0, "libsodium did not start"); }

std::string sha256(std::string_view data) {
  thread_local const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(
      EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  std::string digest(32, '\0');
  unsigned size = 0;
  check(EVP_DigestInit_ex(context.get(), sha256Algorithm(), nullptr) == 1 &&
            EVP_DigestUpdate(context.get(), data.data(), data.size()) == 1 &&
            EVP_DigestFinal_ex(context.get(), reinterpret_cast<unsigned char*>(digest.data()),
                               &size) == 1,
        "OpenSSL: SHA-256");
  return digest;
}

std::string hmacSha256(std::string_view key, std::string_view data) {
  thread_local const std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)> context(
      EVP_MAC_CTX_dup(hmacTemplate()), &EVP_MAC_CTX_free);
  std::string digest(32, '\0');
  std::size_t size = 0;
  check(EVP_MAC_init(context.get(), asBytes(key), key.size(), nullptr) == 1 &&
            EVP_MAC_update(context.get(), asBytes(data), data.size()) == 1 &&
            EVP_MAC_final(context.get(), reinterpret_cast<unsigned char*>(digest.data()), &size,
                          digest.size()) == 1,
        "OpenSSL: HMAC");
  return digest;
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
  std::string hex(bytes.size() * 2 + 1, '\0');
  sodium_bin2hex(hex.data(), hex.size(), asBytes(bytes), bytes.size());
  hex.pop_back();
  return hex;
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
