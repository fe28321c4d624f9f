// The load generator's reading of answers: however a stream of bytes is cut, the same answer comes
// out of it at the same place, and members are found where a JSON reader finds them.
#include "load/wire.h"

#include <boost/json.hpp>

#include "property.h"

namespace tipflow::load {
namespace {

using fuzz::require;

void checkAnswer(std::string_view bytes) {
  const auto parsed = parseAnswer(bytes);
  if (parsed.state == ParseState::malformed) return;
  const auto size = parsed.state == ParseState::complete ? parsed.size : bytes.size();
  require(size <= bytes.size(), "an answer ends within what was read");
  // Every cut of a long input would take too long; the last bytes are where it matters.
  const std::size_t first = size > 300 ? size - 300 : 0;
  for (std::size_t cut = first; cut < size; ++cut) {
    require(parseAnswer(bytes.substr(0, cut)).state == ParseState::incomplete,
            "the beginning of an answer is incomplete, not malformed and not an answer");
  }
  if (parsed.state != ParseState::complete) return;
  const auto alone = parseAnswer(bytes.substr(0, size));
  require(alone.state == ParseState::complete && alone.size == size &&
              alone.answer.status == parsed.answer.status &&
              alone.answer.body == parsed.answer.body,
          "what follows an answer does not change it");
  require(parsed.answer.status >= 200 && parsed.answer.status <= 599, "a status is a status");
  require(parsed.answer.retryAfterSeconds.value_or(0) >= 0, "nobody waits a negative time");
}

void checkMembers(std::string_view text) {
  (void)textMember(text, "code");
  const auto found = integerMember(text, "amount");
  boost::json::error_code bad;
  const auto parsed = boost::json::parse({text.data(), text.size()}, bad);
  const auto* object = bad ? nullptr : parsed.if_object();
  // Said to be good for flat answers: one object, each name once, without escapes.
  if (object == nullptr || text.find_first_of("\\[") != std::string_view::npos ||
      text.find('{', text.find('{') + 1) != std::string_view::npos || object->size() != 1) {
    return;
  }
  const auto* amount = object->if_contains("amount");
  const auto* number = amount != nullptr ? amount->if_int64() : nullptr;
  if (number != nullptr && text.find_first_of("\r\n") == std::string_view::npos) {
    require(found == *number, "an integer is found as it stands");
  }
  if (amount == nullptr) require(!found, "a member that is not there is not found");
}

void checkUrl(std::string_view text) {
  const auto url = parseUrl(text);
  if (!url) return;
  const auto again = parseUrl("http://" + url->authority());
  require(again && again->host == url->host && again->port == url->port,
          "a URL is read back from its authority");
}

}  // namespace
}  // namespace tipflow::load

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = tipflow::fuzz::asText(data, size);
  tipflow::load::checkAnswer(text);
  tipflow::load::checkMembers(text);
  tipflow::load::checkUrl(text);
  return 0;
}
