// What a client of a live room sends: bytes into frames, however they are cut; texts into what is
// asked and its answer, which is JSON whatever came.
#include <boost/json.hpp>

#include "platform/http/websocket_frames.h"
#include "property.h"
#include "room/client_frame.h"
#include "room/rules.h"

namespace tipflow {
namespace {

using fuzz::require;
using http::FrameReader;

constexpr std::size_t kLongest = 512;

/// Every message and the end of the stream, as a reader sees them that gets `step` bytes at a time.
std::string readIn(std::string_view bytes, std::size_t step) {
  FrameReader reader(kLongest);
  std::string seen;
  std::string pending;
  while (!bytes.empty() || !pending.empty()) {
    const auto frame = reader.next(pending);
    if (frame.kind == FrameReader::Kind::incomplete) {
      if (bytes.empty()) break;
      pending += bytes.substr(0, step);
      bytes.remove_prefix(std::min(step, bytes.size()));
      continue;
    }
    seen += static_cast<char>('a' + static_cast<int>(frame.kind));
    seen += frame.payload;
    if (frame.kind == FrameReader::Kind::faulty || frame.kind == FrameReader::Kind::close) {
      return seen + std::to_string(static_cast<int>(frame.code));
    }
    require(frame.size > 0 && frame.size <= pending.size(), "a frame is taken off what came");
    require(frame.payload.size() <= kLongest, "no message is longer than allowed");
    if (frame.kind == FrameReader::Kind::text) {
      require(fuzz::isUtf8(frame.payload), "a text is UTF-8");
    }
    pending.erase(0, frame.size);
  }
  return seen;
}

void checkFrames(std::string_view bytes) {
  const auto whole = readIn(bytes, bytes.size() + 1);
  for (const std::size_t step : {1UL, 2UL, 7UL}) {
    require(readIn(bytes, step) == whole, "the same is read however the bytes are cut");
  }
}

void checkText(std::string_view text) {
  const auto read = room::readClientFrame(text);
  const auto answer =
      read.frame ? room::ack(read.frame->id) : room::error(read.id, read.frame.error());
  boost::json::error_code bad;
  const auto value = boost::json::parse(answer, bad);
  require(!bad && value.is_object(), "an answer is a JSON object");
  if (!read.frame || read.frame->kind != room::ClientFrame::Kind::chat) return;
  require(value.at("id").as_string() == std::string_view(read.frame->id), "it names its frame");
  const room::ListedWords words("spam,坏话");
  const auto shown = room::checkedChat(read.frame->text, 100, words);
  if (!shown) return;
  require(!shown->empty() && fuzz::isUtf8(*shown) && !hasControl(*shown), "chat can be shown");
  require(words.passed(*shown) == *shown, "no listed word is left");
}

}  // namespace
}  // namespace tipflow

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = tipflow::fuzz::asText(data, size);
  tipflow::checkFrames(text);
  tipflow::checkText(text);
  return 0;
}
