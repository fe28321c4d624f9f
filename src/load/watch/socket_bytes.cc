#include "load/watch/socket_bytes.h"

#include <array>
#include <charconv>

namespace tipflow::load::watch {
namespace {

// The example of RFC 6455: what is random here is against caches that do not exist on this way.
constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr std::string_view kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
constexpr std::size_t kHeadMost = 16 * 1024;
constexpr std::uint64_t kPayloadMost = std::uint64_t{64} << 20;

constexpr unsigned kText = 1;
constexpr unsigned kClose = 8;
constexpr unsigned kPing = 9;
constexpr unsigned kPong = 10;
constexpr unsigned kFinal = 0x80;
constexpr unsigned kMasked = 0x80;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

/// The value of a header line; nullopt when there is none.
std::optional<std::string_view> headerOf(std::string_view head, std::string_view name) {
  for (auto at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at + 2)) {
    const auto line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
    if (line.size() <= name.size() || line[name.size()] != ':') continue;
    bool same = true;
    for (std::size_t i = 0; i < name.size() && same; ++i) same = lower(line[i]) == name[i];
    if (!same) continue;
    const auto begin = line.find_first_not_of(" \t", name.size() + 1);
    return begin == std::string_view::npos ? std::string_view{} : line.substr(begin);
  }
  return std::nullopt;
}

template <class T>
std::optional<T> numberOf(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// A mask of zeros masks nothing, and is one all the same.
void appendControl(std::string& out, unsigned opcode, std::string_view payload) {
  constexpr std::size_t kControlMost = 125;
  payload = payload.substr(0, kControlMost);
  out += static_cast<char>(kFinal | opcode);
  out += static_cast<char>(kMasked | static_cast<unsigned>(payload.size()));
  out.append(4, '\0');
  out += payload;
}

FrameKind kindOf(unsigned opcode) {
  switch (opcode) {
    case kText:
      return FrameKind::text;
    case kClose:
      return FrameKind::close;
    case kPing:
      return FrameKind::ping;
    case kPong:
      return FrameKind::pong;
    default:
      return FrameKind::malformed;
  }
}

}  // namespace

void appendHandshake(std::string& out, std::string_view target, std::string_view headers) {
  out += "GET ";
  out += target;
  out += " HTTP/1.1\r\n";
  out += headers;
  out += "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n";
  out += "Sec-WebSocket-Key: ";
  out += kKey;
  out += "\r\n\r\n";
}

Opening readOpening(std::string_view bytes) {
  constexpr std::string_view kStart = "HTTP/1.1 ";
  const auto end = bytes.substr(0, kHeadMost).find("\r\n\r\n");
  if (end == std::string_view::npos) {
    Opening opening;
    if (bytes.size() >= kHeadMost) opening.state = Opening::State::malformed;
    return opening;
  }
  Opening opening{.state = Opening::State::malformed, .size = end + 4};
  const auto head = bytes.substr(0, end + 2);
  const auto status =
      head.starts_with(kStart) ? numberOf<int>(head.substr(kStart.size(), 3)) : std::nullopt;
  if (!status) return opening;
  opening.status = *status;
  if (*status != 101) {
    opening.state = Opening::State::refused;
    if (const auto after = headerOf(head, "retry-after")) {
      opening.retryAfterSeconds = numberOf<int>(*after);
    }
    return opening;
  }
  if (headerOf(head, "sec-websocket-accept") == kAccept) opening.state = Opening::State::open;
  return opening;
}

ServerFrame readFrame(std::string_view bytes) {
  constexpr std::uint64_t kTwoBytes = 126;
  constexpr std::uint64_t kEightBytes = 127;
  if (bytes.size() < 2) return {};
  const auto first = static_cast<unsigned char>(bytes[0]);
  const auto second = static_cast<unsigned char>(bytes[1]);
  const auto kind = kindOf(first & 0x0FU);
  // A server of ours sends each message as one frame, without extensions, and never masks.
  if ((first & 0xF0U) != kFinal || (second & kMasked) != 0 || kind == FrameKind::malformed) {
    return {.kind = FrameKind::malformed};
  }
  std::uint64_t length = second;
  const std::size_t more = length == kEightBytes ? 8 : length == kTwoBytes ? 2 : 0;
  if (bytes.size() < 2 + more) return {};
  if (more > 0) length = 0;
  for (std::size_t i = 0; i < more; ++i) {
    length = length << 8U | static_cast<unsigned char>(bytes[2 + i]);
  }
  if (length > kPayloadMost) return {.kind = FrameKind::malformed};
  if (bytes.size() - 2 - more < length) return {};
  return {kind, 2 + more + length, bytes.substr(2 + more, length)};
}

void appendPong(std::string& out, std::string_view payload) { appendControl(out, kPong, payload); }

void appendClose(std::string& out) {
  constexpr std::string_view kNormal("\x03\xE8", 2);
  appendControl(out, kClose, kNormal);
}

}  // namespace tipflow::load::watch
