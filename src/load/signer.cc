#include "load/signer.h"

#include <openssl/params.h>

#include <array>
#include <stdexcept>

namespace tipflow::load {
namespace {

constexpr std::size_t kDigestBytes = 32;

constexpr auto kHexPairs = [] {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<std::array<char, 2>, 256> pairs{};
  for (std::size_t byte = 0; byte < pairs.size(); ++byte) {
    pairs[byte] = {kDigits[byte >> 4], kDigits[byte & 0xF]};
  }
  return pairs;
}();

void check(bool fine, const char* what) {
  if (!fine) throw std::runtime_error(what);
}

const unsigned char* asBytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// Looking an algorithm up costs more than using it: once a process.
EVP_MAC* hmac() {
  static EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  check(algorithm != nullptr, "OpenSSL has no HMAC");
  return algorithm;
}

EVP_MAC_CTX* keyedContext(std::string_view key) {
  EVP_MAC_CTX* context = EVP_MAC_CTX_new(hmac());
  std::array<char, 7> digest{"SHA256"};
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string("digest", digest.data(), 0),
                               OSSL_PARAM_construct_end()};
  check(context != nullptr && EVP_MAC_init(context, asBytes(key), key.size(), params) == 1,
        "OpenSSL: HMAC set-up");
  return context;
}

struct FreeDigest {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

EVP_MD_CTX* digestContext() {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_MD* algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  const bool fine =
      context != nullptr && EVP_DigestInit_ex2(context, algorithm, nullptr) == 1;  // keeps its own
  EVP_MD_free(algorithm);
  check(fine, "OpenSSL: SHA-256 set-up");
  return context;
}

}  // namespace

void appendHex(std::string& out, std::string_view bytes) {
  auto at = out.size();
  out.resize(at + bytes.size() * 2);
  for (const char c : bytes) {
    const auto& pair = kHexPairs[static_cast<unsigned char>(c)];
    out[at++] = pair[0];
    out[at++] = pair[1];
  }
}

void Signer::appendSignature(std::string& out, std::string_view text) const {
  if (!keyed_) keyed_.reset(keyedContext(key_));
  std::array<char, kDigestBytes> mac;
  std::size_t size = 0;
  // Without a key, init starts a new text under the key it has.
  check(EVP_MAC_init(keyed_.get(), nullptr, 0, nullptr) == 1 &&
            EVP_MAC_update(keyed_.get(), asBytes(text), text.size()) == 1 &&
            EVP_MAC_final(keyed_.get(), reinterpret_cast<unsigned char*>(mac.data()), &size,
                          mac.size()) == 1,
        "OpenSSL: HMAC");
  appendHex(out, {mac.data(), mac.size()});
}

void appendDigest(std::string& out, std::string_view text) {
  thread_local const std::unique_ptr<EVP_MD_CTX, FreeDigest> context(digestContext());
  std::array<char, kDigestBytes> digest;
  unsigned size = 0;
  // Without an algorithm, init starts a new text with the one it has.
  check(EVP_DigestInit_ex2(context.get(), nullptr, nullptr) == 1 &&
            EVP_DigestUpdate(context.get(), text.data(), text.size()) == 1 &&
            EVP_DigestFinal_ex(context.get(), reinterpret_cast<unsigned char*>(digest.data()),
                               &size) == 1,
        "OpenSSL: SHA-256");
  appendHex(out, {digest.data(), digest.size()});
}

}  // namespace tipflow::load
