// The WebSocket protocol (RFC 6455) as bytes: what a client sent, and frames for it. Pure; the
// connection is in websocket.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tipflow::http {

/// Why a connection is closed, as the other side is told (RFC 6455 section 7.4.1).
enum class CloseCode : std::uint16_t {
  normal = 1000,
  goingAway = 1001,
  protocolError = 1002,
  unsupported = 1003,  ///< a binary message
  notUtf8 = 1007,
  policy = 1008,
  tooBig = 1009,
};

/// Takes a client's bytes apart. Bounded: no message of more than `longest` bytes is gathered, and
/// one that announces more is refused before it has come.
class FrameReader {
 public:
  explicit FrameReader(std::size_t longest) : longest_(static_cast<std::uint32_t>(longest)) {}

  enum class Kind {
    incomplete,  ///< nothing was taken; more bytes are needed
    fragment,    ///< a part of a message was taken
    text,        ///< a whole message is in `payload`
    ping,
    pong,
    close,   ///< `code` is what to answer with
    faulty,  ///< `code` says what is wrong; nothing can be read any more
  };
  struct Frame {
    Kind kind = Kind::incomplete;
    std::size_t size = 0;  ///< bytes taken off the front
    std::string payload = {};
    CloseCode code = CloseCode::normal;
  };
  /// The frame that `bytes` begins with.
  Frame next(std::string_view bytes);

 private:
  struct Header;
  [[nodiscard]] CloseCode faultOf(const Header& header) const;
  Frame take(const Header& header, std::string payload);

  std::string message_;  // of a message in fragments
  std::uint32_t longest_;
  bool inMessage_ = false;
};

/// One text message as a server sends it, whole and unmasked.
std::string textFrame(std::string_view text);
/// `payload`: at most 125 bytes; what is longer is cut.
std::string pingFrame(std::string_view payload);
std::string pongFrame(std::string_view payload);
std::string closeFrame(CloseCode code);

}  // namespace tipflow::http
