#include "platform/http/websocket_frames.h"

#include <gtest/gtest.h>

#include <vector>

namespace tipflow::http {
namespace {

using Kind = FrameReader::Kind;
constexpr std::size_t kLongest = 4'096;

/// A frame as a client sends it. `first`: FIN, reserved bits and opcode.
std::string fromClient(int first, std::string_view payload) {
  const std::string mask{'\x12', '\x34', '\x56', '\x78'};
  std::string frame(1, static_cast<char>(first));
  if (payload.size() < 126) {
    frame += static_cast<char>(0x80 | payload.size());
  } else {
    frame += static_cast<char>(0x80 | 126);
    frame += static_cast<char>(payload.size() >> 8);
    frame += static_cast<char>(payload.size() & 0xFF);
  }
  frame += mask;
  for (std::size_t i = 0; i < payload.size(); ++i)
    frame += static_cast<char>(payload[i] ^ mask[i % 4]);
  return frame;
}

constexpr int kText = 0x81;
constexpr int kTextBegins = 0x01;
constexpr int kContinues = 0x00;
constexpr int kEnds = 0x80;
constexpr int kClose = 0x88;
constexpr int kPing = 0x89;

CloseCode faultOf(const std::string& bytes) {
  FrameReader reader(kLongest);
  const auto frame = reader.next(bytes);
  EXPECT_EQ(frame.kind, Kind::faulty);
  return frame.code;
}

TEST(WebSocketFrames, a_text_is_read_back_as_it_was_sent) {
  FrameReader reader(kLongest);
  const std::vector<std::string> texts{"", "hi", "打赏", std::string(125, 'a')};
  for (const auto& text : texts) {
    const auto bytes = fromClient(kText, text);
    const auto frame = reader.next(bytes + "next");
    EXPECT_EQ(frame.kind, Kind::text);
    EXPECT_EQ(frame.payload, text);
    EXPECT_EQ(frame.size, bytes.size());
  }
}

TEST(WebSocketFrames, a_text_as_long_as_is_allowed_is_taken_and_one_byte_more_is_refused_at_once) {
  FrameReader reader(kLongest);
  EXPECT_EQ(reader.next(fromClient(kText, std::string(kLongest, 'x'))).payload.size(), kLongest);
  const auto tooLong = fromClient(kText, std::string(kLongest + 1, 'x'));
  EXPECT_EQ(faultOf(tooLong.substr(0, 4)), CloseCode::tooBig);  // its header alone
}

TEST(WebSocketFrames, nothing_is_taken_of_a_frame_that_has_not_come_in_full) {
  const auto bytes = fromClient(kText, std::string(300, 'x'));
  FrameReader reader(kLongest);
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    const auto frame = reader.next(std::string_view(bytes).substr(0, cut));
    EXPECT_EQ(frame.kind, Kind::incomplete);
    EXPECT_EQ(frame.size, 0U);
  }
  EXPECT_EQ(reader.next(bytes).kind, Kind::text);
}

TEST(WebSocketFrames, fragments_make_one_message_with_pings_between_them) {
  FrameReader reader(kLongest);
  EXPECT_EQ(reader.next(fromClient(kTextBegins, "\xE6\x89")).kind, Kind::fragment);  // half of 打
  EXPECT_EQ(reader.next(fromClient(kPing, "?")).payload, "?");
  EXPECT_EQ(reader.next(fromClient(kContinues, "\x93")).kind, Kind::fragment);
  const auto whole = reader.next(fromClient(kEnds, "赏"));
  EXPECT_EQ(whole.kind, Kind::text);
  EXPECT_EQ(whole.payload, "打赏");
  EXPECT_EQ(reader.next(fromClient(kText, "again")).payload, "again");
}

TEST(WebSocketFrames, fragments_together_may_not_be_longer_than_a_message) {
  FrameReader reader(kLongest);
  EXPECT_EQ(reader.next(fromClient(kTextBegins, std::string(kLongest, 'x'))).kind, Kind::fragment);
  const auto frame = reader.next(fromClient(kContinues, "x"));
  EXPECT_EQ(frame.kind, Kind::faulty);
  EXPECT_EQ(frame.code, CloseCode::tooBig);
}

TEST(WebSocketFrames, what_breaks_the_protocol_is_a_protocol_error) {
  EXPECT_EQ(faultOf(fromClient(0xC1, "x")), CloseCode::protocolError);   // reserved bit
  EXPECT_EQ(faultOf(fromClient(0x83, "x")), CloseCode::protocolError);   // opcode 3
  EXPECT_EQ(faultOf(fromClient(kEnds, "x")), CloseCode::protocolError);  // continues nothing
  EXPECT_EQ(faultOf(fromClient(0x09, "x")), CloseCode::protocolError);   // ping in parts
  EXPECT_EQ(faultOf(fromClient(kPing, std::string(126, 'x'))), CloseCode::protocolError);
  EXPECT_EQ(faultOf(std::string("\x81\x01x", 3)), CloseCode::protocolError);         // not masked
  EXPECT_EQ(faultOf(std::string("\x81\xFE\x00\x05", 4)), CloseCode::protocolError);  // long length
  EXPECT_EQ(faultOf(std::string("\x81\xFF", 2) + std::string(8, '\xFF')), CloseCode::protocolError);
}

TEST(WebSocketFrames, a_message_may_not_begin_inside_another) {
  FrameReader reader(kLongest);
  (void)reader.next(fromClient(kTextBegins, "x"));
  EXPECT_EQ(reader.next(fromClient(kText, "y")).code, CloseCode::protocolError);
}

TEST(WebSocketFrames, binary_messages_and_text_that_is_not_utf8_have_their_own_codes) {
  EXPECT_EQ(faultOf(fromClient(0x82, "x")), CloseCode::unsupported);
  EXPECT_EQ(faultOf(fromClient(kText, "\xC0\xAF")), CloseCode::notUtf8);
  EXPECT_EQ(faultOf(fromClient(kText, "\xED\xA0\x80")), CloseCode::notUtf8);
}

TEST(WebSocketFrames, a_close_is_answered_with_its_own_code_when_that_may_be_sent) {
  FrameReader reader(kLongest);
  EXPECT_EQ(reader.next(fromClient(kClose, "")).code, CloseCode::normal);
  EXPECT_EQ(reader.next(fromClient(kClose, "\x03\xE9 bye")).code, CloseCode::goingAway);
  EXPECT_EQ(faultOf(fromClient(kClose, "\x03")), CloseCode::protocolError);
  EXPECT_EQ(faultOf(fromClient(kClose, "\x03\xED")), CloseCode::protocolError);  // 1005
  EXPECT_EQ(faultOf(fromClient(kClose, "\x03\xE8\xFF")), CloseCode::notUtf8);
}

TEST(WebSocketFrames, frames_to_a_client_are_whole_and_not_masked) {
  EXPECT_EQ(textFrame("hi"), "\x81\x02hi");
  EXPECT_EQ(textFrame(std::string(126, 'x')).substr(0, 4), std::string("\x81\x7E\x00\x7E", 4));
  EXPECT_EQ(textFrame(std::string(65'536, 'x')).substr(0, 10),
            std::string("\x81\x7F\x00\x00\x00\x00\x00\x01\x00\x00", 10));
  EXPECT_EQ(closeFrame(CloseCode::policy), "\x88\x02\x03\xF0");
  EXPECT_EQ(pongFrame("x"), "\x8A\x01x");
  EXPECT_EQ(pingFrame(std::string(200, 'x')).size(), 127U);
}

}  // namespace
}  // namespace tipflow::http
