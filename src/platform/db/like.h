// LIKE patterns from what people type.
#pragma once

#include <string>
#include <string_view>

namespace tipflow::db {

/// Matches texts that hold `part`; to be used with ESCAPE '!'.
inline std::string containsPattern(std::string_view part) {
  std::string pattern = "%";
  for (const char c : part) {
    if (c == '%' || c == '_' || c == '!') pattern += '!';
    pattern += c;
  }
  return pattern + "%";
}

}  // namespace tipflow::db
