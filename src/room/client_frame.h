// What a client of a live room may send (api/events.md), read from its text; and the answers to it.
// Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tipflow::room {

struct ClientFrame {
  enum class Kind { chat, ping };
  Kind kind = Kind::ping;
  std::string id;
  std::string text;
};

/// Longest `id` of a frame, in bytes.
inline constexpr std::size_t kLongestFrameId = 64;

struct ReadFrame {
  std::optional<std::string> id;  ///< of whatever could be read
  Result<ClientFrame> frame;
};
ReadFrame readClientFrame(std::string_view text);

std::string ack(std::string_view id);
std::string error(const std::optional<std::string>& id, const Rejection& rejection);
std::string pong();

}  // namespace tipflow::room
