// Lists of secret keys and their text, in a setting and in a file. No error shows a key.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/enums.h"
#include "base/time.h"

namespace tipflow {

/// data: encrypts what is stored. token: signs tokens, and the requests made with them.
enum class KeyKind { data, token };

/// 32 secret bytes, wiped from memory when they go.
class SecretKey {
 public:
  static constexpr std::size_t kBytes = 32;

  /// `bytes`: exactly kBytes.
  explicit SecretKey(std::string_view bytes);
  SecretKey(const SecretKey&) = default;
  SecretKey& operator=(const SecretKey&) = default;
  ~SecretKey();

  [[nodiscard]] std::string_view bytes() const { return {bytes_.data(), bytes_.size()}; }

 private:
  std::array<char, kBytes> bytes_{};
};

struct NamedKey {
  std::string id;
  SecretKey secret;
  std::optional<Time> madeAt;  ///< not known of keys from a setting
};

/// Never empty, no id twice. The first one seals or signs, all of them open or verify.
using KeyList = std::vector<NamedKey>;
using Keys = std::shared_ptr<const KeyList>;

/// A list of keys that cannot be used; the text says where it is wrong.
class KeyError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A token key is named by its own hash, so that all nodes give it the same id.
[[nodiscard]] NamedKey tokenKey(std::string_view bytes, std::optional<Time> madeAt);
[[nodiscard]] NamedKey newKey(KeyKind kind, Time now);

/// Data keys: `id:64hex[,id:64hex…]`. Token keys: `64hex[,64hex…]`. Throws KeyError.
[[nodiscard]] KeyList parseKeySetting(KeyKind kind, std::string_view text);
/// A key a line. Data keys: `id 64hex [createdAt]`. Token keys: `64hex [createdAt]`. Throws
/// KeyError.
[[nodiscard]] KeyList parseKeyFile(KeyKind kind, std::string_view text);
[[nodiscard]] std::string formatKeyFile(KeyKind kind, const KeyList& keys);

/// nullptr when there is none.
[[nodiscard]] const NamedKey* findKey(const KeyList& keys, std::string_view id);

/// When the newest key was made, as far as it is known.
[[nodiscard]] std::optional<Time> newestMadeAt(const KeyList& keys);

}  // namespace tipflow

template <>
struct tipflow::EnumWords<tipflow::KeyKind> {
  static constexpr std::array values{std::pair{std::string_view{"data"}, KeyKind::data},
                                     std::pair{std::string_view{"token"}, KeyKind::token}};
};
