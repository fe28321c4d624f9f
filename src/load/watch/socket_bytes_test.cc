#include "load/watch/socket_bytes.h"

#include <gtest/gtest.h>

#include "platform/http/websocket_frames.h"

namespace tipflow::load::watch {
namespace {

const std::string kSwitching =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "sec-websocket-accept:  s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

TEST(Opening, takes_an_answer_with_the_right_accept_and_leaves_what_follows) {
  const auto opening = readOpening(kSwitching + "frames");
  EXPECT_EQ(opening.state, Opening::State::open);
  EXPECT_EQ(opening.size, kSwitching.size());
  for (std::size_t cut = 0; cut < kSwitching.size(); ++cut) {
    EXPECT_EQ(readOpening(kSwitching.substr(0, cut)).state, Opening::State::incomplete) << cut;
  }
}

TEST(Opening, tells_a_refusal_and_when_to_come_again) {
  const auto opening = readOpening("HTTP/1.1 503 Busy\r\nRetry-After: 7\r\n\r\n{}");
  EXPECT_EQ(opening.state, Opening::State::refused);
  EXPECT_EQ(opening.status, 503);
  EXPECT_EQ(opening.retryAfterSeconds, 7);
  EXPECT_EQ(readOpening("HTTP/1.1 403 No\r\n\r\n").retryAfterSeconds, std::nullopt);
}

TEST(Opening, is_not_fooled_by_another_key_or_another_protocol) {
  for (const auto* answer : {"HTTP/1.1 101 X\r\nSec-WebSocket-Accept: nonsense\r\n\r\n",
                             "HTTP/1.1 101 X\r\n\r\n", "SSH-2.0\r\n\r\n", "HTTP/1.1 abc\r\n\r\n"}) {
    EXPECT_EQ(readOpening(answer).state, Opening::State::malformed) << answer;
  }
  EXPECT_EQ(readOpening(std::string(20'000, 'x')).state, Opening::State::malformed);
}

TEST(ServerFrame, of_any_length_is_read_as_the_server_writes_it) {
  for (const std::size_t length : {0UL, 1UL, 125UL, 126UL, 65'535UL, 65'536UL, 200'000UL}) {
    const std::string text(length, 'x');
    const auto bytes = http::textFrame(text);
    const auto more = bytes + "more";
    const auto frame = readFrame(more);
    EXPECT_EQ(frame.kind, FrameKind::text) << length;
    EXPECT_EQ(frame.size, bytes.size()) << length;
    EXPECT_EQ(frame.payload, text) << length;
    EXPECT_EQ(readFrame(std::string_view(bytes).substr(0, bytes.size() - 1)).kind,
              FrameKind::incomplete)
        << length;
  }
  EXPECT_EQ(readFrame(http::pingFrame("a")).kind, FrameKind::ping);
  EXPECT_EQ(readFrame(http::closeFrame(http::CloseCode::goingAway)).kind, FrameKind::close);
  EXPECT_EQ(readFrame("").kind, FrameKind::incomplete);
}

TEST(ServerFrame, that_no_server_may_send_is_malformed) {
  using namespace std::string_literals;
  for (const auto& bytes : {"\x81\x80    "s, "\x01\x00"s, "\xC1\x00"s, "\x82\x00"s, "\x83\x00"s,
                            "\x81\x7F\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s}) {
    EXPECT_EQ(readFrame(bytes).kind, FrameKind::malformed);
  }
}

TEST(ClientFrame, is_taken_by_the_server) {
  http::FrameReader reader(4'096);
  std::string pong;
  appendPong(pong, "payload");
  EXPECT_EQ(reader.next(pong).kind, http::FrameReader::Kind::pong);
  std::string close;
  appendClose(close);
  const auto frame = reader.next(close);
  EXPECT_EQ(frame.kind, http::FrameReader::Kind::close);
  EXPECT_EQ(frame.code, http::CloseCode::normal);
}

}  // namespace
}  // namespace tipflow::load::watch
