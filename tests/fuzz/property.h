// What the fuzz targets share: a property that must hold for every input, and bytes as text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "base/text.h"

namespace tipflow::fuzz {

/// Ends the run with `what` when the property does not hold; libFuzzer then keeps the input.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "property broken: %s\n", what);
  std::abort();
}

inline std::string_view asText(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// What stands before the first `end` in `text`, which loses both; all of it when there is none.
inline std::string_view take(std::string_view& text, char end) {
  const auto at = text.find(end);
  const auto part = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return part;
}

inline bool isUtf8(std::string_view text) {
  while (!text.empty()) {
    const auto c = firstCharacter(text);
    if (c.size == 0) return false;
    text.remove_prefix(c.size);
  }
  return true;
}

}  // namespace tipflow::fuzz
