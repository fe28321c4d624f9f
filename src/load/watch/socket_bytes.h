// The client's side of a WebSocket as bytes: the handshake, and frames. Pure, no I/O; only what a
// viewer needs of RFC 6455.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tipflow::load::watch {

/// What a client says to open a socket. `target`: path and query; `headers`: of senderHeaders.
void appendHandshake(std::string& out, std::string_view target, std::string_view headers);

struct Opening {
  enum class State { incomplete, open, refused, malformed };
  State state = State::incomplete;
  std::size_t size = 0;  ///< bytes of the answer's head
  int status = 0;
  std::optional<int> retryAfterSeconds = {};
};
/// Reads the answer to appendHandshake.
Opening readOpening(std::string_view bytes);

enum class FrameKind { incomplete, text, ping, pong, close, malformed };

/// A frame as a server sends it: whole, not masked.
struct ServerFrame {
  FrameKind kind = FrameKind::incomplete;
  std::size_t size = 0;  ///< with its header
  std::string_view payload = {};
};
ServerFrame readFrame(std::string_view bytes);

/// Masked, as a client must.
void appendPong(std::string& out, std::string_view payload);
void appendClose(std::string& out);

}  // namespace tipflow::load::watch
