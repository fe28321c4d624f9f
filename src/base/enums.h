// The closed word lists of the contract that more than one role speaks. Stored as small integers,
// shown as lower-case words.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace tipflow {

enum class Gender { unknown = 0, male = 1, female = 2 };
enum class PrincipalKind { viewer = 1, anchor = 2, operator_ = 3 };

/// Specialised for each enumeration: `static constexpr std::array values{pair{word, value}, …}`.
template <class E>
struct EnumWords;

template <class E>
constexpr std::string_view word(E value) {
  for (const auto& [name, candidate] : EnumWords<E>::values) {
    if (candidate == value) return name;
  }
  return "unknown";
}

template <class E>
constexpr std::optional<E> fromWord(std::string_view text) {
  for (const auto& [name, candidate] : EnumWords<E>::values) {
    if (name == text) return candidate;
  }
  return std::nullopt;
}

template <>
struct EnumWords<Gender> {
  static constexpr std::array values{std::pair{std::string_view{"male"}, Gender::male},
                                     std::pair{std::string_view{"female"}, Gender::female},
                                     std::pair{std::string_view{"unknown"}, Gender::unknown}};
};
template <>
struct EnumWords<PrincipalKind> {
  static constexpr std::array values{
      std::pair{std::string_view{"anchor"}, PrincipalKind::anchor},
      std::pair{std::string_view{"viewer"}, PrincipalKind::viewer},
      std::pair{std::string_view{"operator"}, PrincipalKind::operator_}};
};

}  // namespace tipflow
