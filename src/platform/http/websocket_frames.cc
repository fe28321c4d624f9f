#include "platform/http/websocket_frames.h"

#include <optional>

#include "base/text.h"

namespace tipflow::http {
namespace {

enum class Opcode : std::uint8_t {
  continuation = 0,
  text = 1,
  binary = 2,
  close = 8,
  ping = 9,
  pong = 10,
};

constexpr std::size_t kMaskSize = 4;
constexpr std::size_t kLongestControl = 125;
constexpr std::uint8_t kFinal = 0x80;
constexpr std::uint8_t kReserved = 0x70;
constexpr std::uint8_t kMasked = 0x80;
constexpr std::uint8_t kLengthIn2 = 126;
constexpr std::uint8_t kLengthIn8 = 127;
constexpr std::uint64_t kLengthEnd = std::uint64_t{1} << 63;

bool isUtf8(std::string_view text) {
  while (!text.empty()) {
    const auto character = firstCharacter(text);
    if (character.size == 0) return false;
    text.remove_prefix(character.size);
  }
  return true;
}

std::uint8_t byteAt(std::string_view bytes, std::size_t place) {
  return static_cast<std::uint8_t>(bytes[place]);
}

std::uint64_t bigEndian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = (value << 8) | static_cast<std::uint8_t>(byte);
  return value;
}

/// Codes that may stand in a frame (RFC 6455 section 7.4).
bool isCloseCode(std::uint64_t code) {
  constexpr std::uint64_t kNone = 1004;
  constexpr std::uint64_t kReservedEnd = 1007;
  constexpr std::uint64_t kDefinedEnd = 1015;
  constexpr std::uint64_t kRegistered = 3000;
  constexpr std::uint64_t kEnd = 5000;
  if (code >= kRegistered) return code < kEnd;
  return code >= 1000 && code < kDefinedEnd && !(code >= kNone && code < kReservedEnd);
}

std::string unmasked(std::string_view masked, std::string_view mask) {
  std::string payload(masked);
  for (std::size_t i = 0; i < payload.size(); ++i) {
    payload[i] = static_cast<char>(payload[i] ^ mask[i % kMaskSize]);
  }
  return payload;
}

std::string frameOf(Opcode opcode, std::string_view payload) {
  constexpr std::size_t kLengthIn2End = 65'536;
  std::string frame;
  frame.reserve(payload.size() + 10);
  frame += static_cast<char>(kFinal | static_cast<std::uint8_t>(opcode));
  const auto appendLength = [&](int bytes) {
    for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) {
      frame += static_cast<char>((payload.size() >> shift) & 0xFF);
    }
  };
  if (payload.size() < kLengthIn2) {
    appendLength(1);
  } else if (payload.size() < kLengthIn2End) {
    frame += static_cast<char>(kLengthIn2);
    appendLength(2);
  } else {
    frame += static_cast<char>(kLengthIn8);
    appendLength(8);
  }
  frame += payload;
  return frame;
}

FrameReader::Frame faulty(CloseCode code) { return {FrameReader::Kind::faulty, 0, {}, code}; }

}  // namespace

struct FrameReader::Header {
  Opcode opcode = Opcode::text;
  bool final = true;
  bool masked = true;
  bool shortest = true;  // whether the length is written in as few bytes as it takes
  std::uint8_t reserved = 0;
  std::uint64_t length = 0;
  std::size_t size = 0;  // with the mask

  [[nodiscard]] bool control() const { return opcode >= Opcode::close; }

  static std::optional<Header> read(std::string_view bytes) {
    constexpr std::size_t kFixed = 2;
    if (bytes.size() < kFixed) return std::nullopt;
    Header header;
    header.opcode = static_cast<Opcode>(byteAt(bytes, 0) & 0x0F);
    header.final = (byteAt(bytes, 0) & kFinal) != 0;
    header.reserved = byteAt(bytes, 0) & kReserved;
    header.masked = (byteAt(bytes, 1) & kMasked) != 0;
    header.length = byteAt(bytes, 1) & 0x7F;
    const std::size_t extra = header.length == kLengthIn8 ? 8 : header.length == kLengthIn2 ? 2 : 0;
    if (extra != 0) {
      if (bytes.size() < kFixed + extra) return std::nullopt;
      header.length = bigEndian(bytes.substr(kFixed, extra));
      header.shortest = header.length >= (extra == 2 ? kLengthIn2 : std::uint64_t{65'536});
    }
    header.size = kFixed + extra + (header.masked ? kMaskSize : 0);
    return header;
  }
};

// CloseCode::normal: none.
CloseCode FrameReader::faultOf(const Header& header) const {
  if (header.reserved != 0 || !header.masked || !header.shortest || header.length >= kLengthEnd) {
    return CloseCode::protocolError;
  }
  switch (header.opcode) {
    case Opcode::close:
    case Opcode::ping:
    case Opcode::pong:
      return header.final && header.length <= kLongestControl ? CloseCode::normal
                                                              : CloseCode::protocolError;
    case Opcode::continuation:
      if (!inMessage_) return CloseCode::protocolError;
      return header.length + message_.size() <= longest_ ? CloseCode::normal : CloseCode::tooBig;
    case Opcode::text:
    case Opcode::binary:
      if (inMessage_) return CloseCode::protocolError;
      if (header.opcode == Opcode::binary) return CloseCode::unsupported;
      return header.length <= longest_ ? CloseCode::normal : CloseCode::tooBig;
  }
  return CloseCode::protocolError;  // a word that the protocol does not have
}

FrameReader::Frame FrameReader::next(std::string_view bytes) {
  const auto header = Header::read(bytes);
  if (!header) return {};
  if (const auto fault = faultOf(*header); fault != CloseCode::normal) return faulty(fault);
  const auto size = header->size + static_cast<std::size_t>(header->length);
  if (bytes.size() < size) return {};
  auto frame = take(*header, unmasked(bytes.substr(header->size, size - header->size),
                                      bytes.substr(header->size - kMaskSize, kMaskSize)));
  frame.size = size;
  return frame;
}

FrameReader::Frame FrameReader::take(const Header& header, std::string payload) {
  if (header.opcode == Opcode::ping) return {Kind::ping, 0, std::move(payload)};
  if (header.opcode == Opcode::pong) return {Kind::pong, 0, std::move(payload)};
  if (header.opcode == Opcode::close) {
    constexpr std::size_t kCodeSize = 2;
    if (payload.empty()) return {Kind::close, 0, {}, CloseCode::normal};
    if (payload.size() < kCodeSize) return faulty(CloseCode::protocolError);
    const auto code = bigEndian(std::string_view(payload).substr(0, kCodeSize));
    if (!isCloseCode(code)) return faulty(CloseCode::protocolError);
    if (!isUtf8(std::string_view(payload).substr(kCodeSize))) return faulty(CloseCode::notUtf8);
    return {Kind::close, 0, {}, static_cast<CloseCode>(code)};
  }
  if (!header.final || inMessage_) {
    message_ += payload;
    inMessage_ = !header.final;
    if (inMessage_) return {Kind::fragment};
    payload = std::move(message_);
    message_ = {};
  }
  if (!isUtf8(payload)) return faulty(CloseCode::notUtf8);
  return {Kind::text, 0, std::move(payload)};
}

std::string textFrame(std::string_view text) { return frameOf(Opcode::text, text); }

std::string pingFrame(std::string_view payload) {
  return frameOf(Opcode::ping, payload.substr(0, kLongestControl));
}

std::string pongFrame(std::string_view payload) {
  return frameOf(Opcode::pong, payload.substr(0, kLongestControl));
}

std::string closeFrame(CloseCode code) {
  const auto number = static_cast<std::uint16_t>(code);
  const char payload[] = {static_cast<char>(number >> 8), static_cast<char>(number & 0xFF)};
  return frameOf(Opcode::close, {payload, sizeof payload});
}

}  // namespace tipflow::http
