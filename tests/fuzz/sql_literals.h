// MySQL's literals, read back by the rules of its manual and by none of ours: what a server would
// understand of a statement's values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace tipflow::fuzz {

/// NULL, an integer, or the bytes of a text.
using Literal = std::variant<std::nullptr_t, std::int64_t, std::string>;

/// Takes a literal off the front of `sql`; nullopt when there is none, or one that does not end.
std::optional<Literal> takeLiteral(std::string_view& sql);

}  // namespace tipflow::fuzz
