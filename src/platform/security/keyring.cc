#include "platform/security/keyring.h"

#include <fmt/format.h>
#include <sodium.h>

#include "platform/security/crypto.h"

namespace tipflow {
namespace {

constexpr std::string_view kVersion = "v1";
constexpr std::size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(SecretKey::kBytes == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);

const unsigned char* asBytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* asBytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

/// What is bound to the value without being in it. Names of tables and columns have no line ends.
std::string associated(std::string_view keyId, const SealedPlace& place) {
  return fmt::format("{}\n{}\n{}\n{}\n{}", kVersion, keyId, place.table, place.column, place.row);
}

/// Still in base64url.
struct Parts {
  std::string_view version;
  std::string_view keyId;
  std::string_view nonce;
  std::string_view ciphertext;
};

std::optional<Parts> partsOf(std::string_view sealed) {
  Parts parts;
  for (auto* part : {&parts.version, &parts.keyId, &parts.nonce}) {
    const auto dot = sealed.find('.');
    if (dot == std::string_view::npos) return std::nullopt;
    *part = sealed.substr(0, dot);
    sealed.remove_prefix(dot + 1);
  }
  parts.ciphertext = sealed;  // a dot more is no base64url
  if (parts.version != kVersion) return std::nullopt;
  return parts;
}

}  // namespace

SealedText Keyring::seal(std::string_view value, const SealedPlace& place) const {
  const auto keys = source_.keys();
  const auto& key = keys->front();
  const auto nonce = crypto::randomBytes(kNonceBytes);
  const auto bound = associated(key.id, place);
  std::string ciphertext(value.size() + kTagBytes, '\0');
  crypto_aead_xchacha20poly1305_ietf_encrypt(
      asBytes(ciphertext), nullptr, asBytes(value), value.size(), asBytes(std::string_view(bound)),
      bound.size(), nullptr, asBytes(std::string_view(nonce)), asBytes(key.secret.bytes()));
  return {key.id, fmt::format("{}.{}.{}.{}", kVersion, key.id, crypto::toBase64Url(nonce),
                              crypto::toBase64Url(ciphertext))};
}

std::string Keyring::open(std::string_view sealed, const SealedPlace& place) const {
  const auto parts = partsOf(sealed);
  const auto nonce = crypto::fromBase64Url(parts ? parts->nonce : "");
  const auto ciphertext = crypto::fromBase64Url(parts ? parts->ciphertext : "");
  if (!nonce || nonce->size() != kNonceBytes || !ciphertext || ciphertext->size() < kTagBytes) {
    throw CannotOpen("this is not a sealed value of this release");
  }
  const auto keys = source_.keys();
  const auto* key = findKey(*keys, parts->keyId);
  if (key == nullptr) {
    throw CannotOpen(fmt::format("the data key {} is missing", parts->keyId));
  }
  const auto bound = associated(key->id, place);
  std::string value(ciphertext->size() - kTagBytes, '\0');
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          asBytes(value), nullptr, nullptr, asBytes(std::string_view(*ciphertext)),
          ciphertext->size(), asBytes(std::string_view(bound)), bound.size(),
          asBytes(std::string_view(*nonce)), asBytes(key->secret.bytes())) != 0) {
    throw CannotOpen(
        fmt::format("a value under the data key {} was altered, or belongs elsewhere", key->id));
  }
  return value;
}

std::vector<std::string> Keyring::olderKeyIds() const {
  const auto keys = source_.keys();
  std::vector<std::string> ids;
  for (auto key = std::next(keys->begin()); key != keys->end(); ++key) ids.push_back(key->id);
  return ids;
}

bool Keyring::holds(std::string_view keyId) const {
  return findKey(*source_.keys(), keyId) != nullptr;
}

}  // namespace tipflow
