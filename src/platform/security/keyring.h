// Encryption at rest: values sealed with XChaCha20-Poly1305 under a data key, each for the one
// place it is stored in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/security/key_source.h"

namespace tipflow {

/// The place a sealed value belongs to. Moved to another one it does not open.
struct SealedPlace {
  std::string_view table;
  std::string_view column;
  std::int64_t row = 0;
};

struct SealedText {
  std::string keyId;
  std::string text;
};

/// A sealed value that does not open; the text says why, and nothing of the value.
class CannotOpen : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Seals and opens with the data keys as they are now. Thread-safe.
class Keyring {
 public:
  explicit Keyring(KeySource& source) : source_(source) {}

  /// `v1.<key id>.<nonce>.<ciphertext>`, the last two base64url. The nonce is random: the same
  /// value sealed twice gives two texts.
  [[nodiscard]] SealedText seal(std::string_view value, const SealedPlace& place) const;
  /// Throws CannotOpen: not sealed text, its key is missing, it belongs elsewhere or was altered.
  [[nodiscard]] std::string open(std::string_view sealed, const SealedPlace& place) const;

  /// Ids of the keys that only open.
  [[nodiscard]] std::vector<std::string> olderKeyIds() const;
  [[nodiscard]] bool holds(std::string_view keyId) const;
  /// When the newest key was made, as far as it is known.
  [[nodiscard]] std::optional<Time> newestKeyMadeAt() const {
    return newestMadeAt(*source_.keys());
  }

 private:
  KeySource& source_;
};

}  // namespace tipflow
