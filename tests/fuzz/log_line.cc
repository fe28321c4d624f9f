// Log lines: whatever message and fields hold, what comes out is one line and one JSON object with
// exactly the members that were asked for. Input: the message, a line end, the field's value.
#include <boost/json.hpp>
#include <cstring>

#include "platform/log.h"
#include "property.h"

namespace tipflow {
namespace {

using fuzz::require;

void checkMember(const boost::json::object& line, const char* name, std::string_view given) {
  const auto& shown = line.at(name).as_string();
  require(!fuzz::isUtf8(given) || std::string_view(shown.data(), shown.size()) == given,
          "text is logged as it is");
}

double numberIn(std::string_view bytes) {
  double number = 0;
  std::memcpy(&number, bytes.data(), std::min(bytes.size(), sizeof number));
  return number;
}

void checkLine(std::string_view input) {
  const auto message = fuzz::take(input, '\n');
  std::string fields;
  log::appendField(fields, log::field("path", input));
  log::appendField(fields, log::field("ms", numberIn(input)));
  log::appendField(fields, log::field("status", static_cast<int>(input.size())));
  std::string line;
  log::formatLine(line, log::Level::warn, "audience",
                  {"000102030405060708090a0b0c0d0e0f", "0001020304050607"}, message, fields);
  for (const char c : line) {
    require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F, "a line has no control bytes");
  }
  boost::json::error_code bad;
  const auto parsed = boost::json::parse(line, bad);
  require(!bad && parsed.is_object(), "a line is a JSON object");
  const auto& object = parsed.as_object();
  require(object.size() == 10, "a line has the members that were asked for");
  require(object.at("level") == "warn" && object.at("role") == "audience",
          "no input changes another member");
  checkMember(object, "msg", message);
  checkMember(object, "path", input);
}

}  // namespace
}  // namespace tipflow

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tipflow::checkLine(tipflow::fuzz::asText(data, size));
  return 0;
}
