// UTF-8 text as it comes from outside: characters, what counts as blank, and JSON strings that no
// input can break out of.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tipflow {

/// A character and its length in bytes; `size` is 0 where the bytes are not UTF-8.
struct Character {
  char32_t value = 0;
  std::size_t size = 0;
};

/// The character that `text` begins with. Strict: no overlong forms, surrogates, or cut sequences.
Character firstCharacter(std::string_view text);

/// White space of any script, and characters that show nothing: a name of these alone is none.
[[nodiscard]] bool isBlank(char32_t c);
/// Without blank characters at both ends.
std::string_view trimmed(std::string_view utf8);
/// Whether there is a control character (Unicode's Cc: C0, DEL, C1).
[[nodiscard]] bool hasControl(std::string_view utf8);

/// Appends `text` as a JSON string, quotes included. Whatever the bytes, what is appended is valid
/// JSON on one line: controls and line separators are escaped, bytes that are not UTF-8 become
/// U+FFFD.
void appendJsonString(std::string& out, std::string_view text);

}  // namespace tipflow
