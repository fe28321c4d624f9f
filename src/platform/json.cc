#include "platform/json.h"

#include <boost/json/src.hpp>  // the library's own code, compiled here once

namespace tipflow::json {
namespace {

constexpr std::size_t kDeepest = 16;

}  // namespace

std::size_t codePoints(std::string_view utf8) {
  return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string_view shortened(std::string_view utf8) {
  constexpr std::size_t kMost = 64;
  if (utf8.size() <= kMost) return utf8;
  std::size_t end = kMost;
  while (end > 0 && (static_cast<unsigned char>(utf8[end]) & 0xC0) == 0x80) --end;
  return utf8.substr(0, end);
}

boost::json::value parse(std::string_view text, boost::json::storage_ptr storage) {
  boost::json::parse_options options;
  options.max_depth = kDeepest;
  boost::json::error_code error;
  auto value = boost::json::parse({text.data(), text.size()}, error, std::move(storage), options);
  if (error) {
    throw BadRequest({ErrorCode::malformed_json, "the body cannot be read: " + error.message()});
  }
  return value;
}

}  // namespace tipflow::json
