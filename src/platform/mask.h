// Secrets and personal data out of what is written down about a request: its JSON body and its
// query. Pure. It goes by the names of members; a secret written where none belongs is not seen.
#pragma once

#include <string>
#include <string_view>

namespace tipflow {

/// Stands in place of a value that must not be written down.
inline constexpr std::string_view kMasked = "***";

/// Whether the value of a member or parameter of this name must not be written down, in any case
/// of letters: password (also within a longer name), token, signingKey, realName, bankAccount,
/// phone.
[[nodiscard]] bool isSecretName(std::string_view name);

/// A quick look: false when `text` (a body or a query) certainly names nothing secret, so that it
/// may be written down as it is. True also for text that writes characters as escapes.
[[nodiscard]] bool mayHoldSecrets(std::string_view text);

/// `body` as JSON on one line with the values of secret members replaced, at any depth, whatever
/// their type. What is not a JSON object or list, or is very long, becomes a note of its length.
/// Never throws.
[[nodiscard]] std::string maskedJson(std::string_view body) noexcept;

/// `query` (`a=1&b=2`, as sent) with the values of secret parameters replaced. Never throws.
[[nodiscard]] std::string maskedQuery(std::string_view query) noexcept;

}  // namespace tipflow
