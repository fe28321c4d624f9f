// Signatures of one sender's requests, with everything prepared that does not change from request
// to request: with two cores for node, database and load, a signature made the slow way is a tenth
// of the figure that is measured.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace tipflow::load {

class Signer {
 public:
  Signer() = default;
  /// `key`: raw bytes.
  explicit Signer(std::string key) : key_(std::move(key)) {}
  Signer(const Signer& other) : key_(other.key_) {}
  Signer(Signer&&) = default;
  Signer& operator=(Signer other) {
    key_ = std::move(other.key_);
    keyed_ = std::move(other.keyed_);
    return *this;
  }
  ~Signer() = default;

  /// Appends the 64 hex digits of HMAC-SHA256(key, text). The first call keeps the keyed state.
  void appendSignature(std::string& out, std::string_view text) const;

 private:
  struct Free {
    void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
  };

  std::string key_;
  mutable std::unique_ptr<EVP_MAC_CTX, Free> keyed_;
};

/// Appends the 64 hex digits of SHA-256(text).
void appendDigest(std::string& out, std::string_view text);

/// Appends two lower-case hex digits a byte.
void appendHex(std::string& out, std::string_view bytes);

}  // namespace tipflow::load
