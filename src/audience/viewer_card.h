// What the rest of the role needs to know of a viewer. Pure types.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/enums.h"
#include "base/ids.h"

namespace tipflow::audience {

enum class ViewerKind { registered = 1, guest = 2 };
enum class ViewerState { active = 1, disabled = 2 };

/// A viewer, as far as tips are concerned.
struct ViewerCard {
  ViewerId id;
  ViewerKind kind = ViewerKind::registered;
  ViewerState state = ViewerState::active;
  Gender gender = Gender::unknown;
  std::optional<std::int64_t> age;
  std::string name;
};

}  // namespace tipflow::audience

template <>
struct tipflow::EnumWords<tipflow::audience::ViewerKind> {
  using Kind = audience::ViewerKind;
  static constexpr std::array values{std::pair{std::string_view{"registered"}, Kind::registered},
                                     std::pair{std::string_view{"guest"}, Kind::guest}};
};
template <>
struct tipflow::EnumWords<tipflow::audience::ViewerState> {
  using State = audience::ViewerState;
  static constexpr std::array values{std::pair{std::string_view{"active"}, State::active},
                                     std::pair{std::string_view{"disabled"}, State::disabled}};
};
