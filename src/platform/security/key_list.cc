#include "platform/security/key_list.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>

#include "base/text.h"
#include "platform/security/crypto.h"

namespace tipflow {
namespace {

constexpr std::size_t kLongestId = 32;
constexpr std::size_t kNewIdBytes = 4;

bool isIdCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

bool isId(std::string_view text) {
  return !text.empty() && text.size() <= kLongestId &&
         std::all_of(text.begin(), text.end(), isIdCharacter);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = text.find(separator);
    parts.push_back(trimmed(text.substr(0, end)));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::vector<std::string_view> words(std::string_view line) {
  auto found = split(line, ' ');
  std::erase_if(found, [](std::string_view word) { return word.empty(); });
  return found;
}

std::optional<SecretKey> secretOf(std::string_view hex) {
  auto bytes = crypto::fromHex(hex);
  if (!bytes) return std::nullopt;
  std::optional<SecretKey> secret;
  if (bytes->size() == SecretKey::kBytes) secret.emplace(*bytes);
  crypto::wipe(*bytes);
  return secret;
}

/// The key of `id` (data keys) and its digits; nullopt when they are not what they should be.
std::optional<NamedKey> keyOf(KeyKind kind, std::string_view id, std::string_view hex,
                              std::optional<Time> madeAt) {
  const auto secret = secretOf(hex);
  if (!secret) return std::nullopt;
  if (kind == KeyKind::token) return tokenKey(secret->bytes(), madeAt);
  if (!isId(id)) return std::nullopt;
  return NamedKey{std::string(id), *secret, madeAt};
}

void add(KeyList& keys, std::optional<NamedKey> key, const std::string& where, const char* form) {
  if (!key) throw KeyError(fmt::format("{} must be {}", where, form));
  if (findKey(keys, key->id) != nullptr) {
    throw KeyError(fmt::format("{} has the id {}, which stands before it", where, key->id));
  }
  keys.push_back(std::move(*key));
}

std::optional<NamedKey> keyOfLine(KeyKind kind, std::string_view line) {
  auto parts = words(line);
  if (kind == KeyKind::token) parts.insert(parts.begin(), std::string_view{});
  if (parts.size() < 2 || parts.size() > 3) return std::nullopt;
  std::optional<Time> madeAt;
  if (parts.size() == 3) {
    madeAt = parseTime(parts[2]);
    if (!madeAt) return std::nullopt;
  }
  return keyOf(kind, parts[0], parts[1], madeAt);
}

}  // namespace

SecretKey::SecretKey(std::string_view bytes) {
  if (bytes.size() != kBytes) throw KeyError("a key has 32 bytes");
  std::copy(bytes.begin(), bytes.end(), bytes_.begin());
}

SecretKey::~SecretKey() { sodium_memzero(bytes_.data(), bytes_.size()); }

NamedKey tokenKey(std::string_view bytes, std::optional<Time> madeAt) {
  return {crypto::toHex(crypto::sha256(bytes)).substr(0, 2 * kNewIdBytes), SecretKey(bytes),
          madeAt};
}

NamedKey newKey(KeyKind kind, Time now) {
  auto bytes = crypto::randomBytes(SecretKey::kBytes);
  auto key = tokenKey(bytes, now);
  crypto::wipe(bytes);
  // What is encrypted shows its key's id: it says nothing about the key itself.
  if (kind == KeyKind::data) key.id = crypto::toHex(crypto::randomBytes(kNewIdBytes));
  return key;
}

KeyList parseKeySetting(KeyKind kind, std::string_view text) {
  KeyList keys;
  for (const auto item : split(text, ',')) {
    const auto colon = kind == KeyKind::data ? item.find(':') : std::string_view::npos;
    const bool named = colon != std::string_view::npos;
    add(keys,
        keyOf(kind, named ? item.substr(0, colon) : std::string_view{},
              named ? item.substr(colon + 1) : item, std::nullopt),
        fmt::format("key {}", keys.size() + 1),
        kind == KeyKind::data ? "id:key, the id of 1 to 32 letters, digits, - or _, the key of 64 "
                                "hex digits"
                              : "64 hex digits");
  }
  return keys;
}

KeyList parseKeyFile(KeyKind kind, std::string_view text) {
  KeyList keys;
  std::size_t number = 0;
  for (const auto line : split(text, '\n')) {
    ++number;
    if (line.empty()) continue;
    add(keys, keyOfLine(kind, line), fmt::format("line {}", number),
        kind == KeyKind::data ? "an id, 64 hex digits, and when the key was made"
                              : "64 hex digits, and when the key was made");
  }
  if (keys.empty()) throw KeyError("holds no key");
  return keys;
}

std::string formatKeyFile(KeyKind kind, const KeyList& keys) {
  constexpr std::size_t kLongestLine = 160;
  std::string text;
  text.reserve(keys.size() * kLongestLine);  // moved to a larger place, it would leave keys behind
  for (const auto& key : keys) {
    if (kind == KeyKind::data) text += key.id + " ";
    auto hex = crypto::toHex(key.secret.bytes());
    text += hex;
    crypto::wipe(hex);
    if (key.madeAt) text += " " + formatTime(*key.madeAt);
    text += "\n";
  }
  return text;
}

const NamedKey* findKey(const KeyList& keys, std::string_view id) {
  const auto found =
      std::find_if(keys.begin(), keys.end(), [&](const NamedKey& key) { return key.id == id; });
  return found == keys.end() ? nullptr : &*found;
}

std::optional<Time> newestMadeAt(const KeyList& keys) {
  std::optional<Time> newest;
  for (const auto& key : keys) {
    if (key.madeAt) newest = std::max(newest.value_or(*key.madeAt), *key.madeAt);
  }
  return newest;
}

}  // namespace tipflow
