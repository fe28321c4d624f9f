#include "base/trace_context.h"

#include <charconv>

namespace tipflow {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";
// 00-<32>-<16>-<2>
constexpr std::size_t kLength = 55;

bool isHex(std::string_view text) { return text.find_first_not_of(kHex) == std::string_view::npos; }
bool isZero(std::string_view text) { return text.find_first_not_of('0') == std::string_view::npos; }

std::uint64_t fromHex(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return value;
}

}  // namespace

std::string spanHex(std::uint64_t span) {
  std::string text(16, '0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = kHex[(span >> (60 - 4 * i)) & 15U];
  return text;
}

std::string TraceContext::header() const {
  return "00-" + trace.hex() + "-" + spanHex(span) + (sampled ? "-01" : "-00");
}

std::optional<TraceContext> TraceContext::parse(std::string_view header) {
  if (header.size() < kLength || header[2] != '-' || header[35] != '-' || header[52] != '-') {
    return std::nullopt;
  }
  const auto version = header.substr(0, 2);
  const bool longer = header.size() > kLength;  // allowed from version 01 on, behind a dash
  if (!isHex(version) || version == "ff" ||
      (longer && (version == "00" || header[kLength] != '-'))) {
    return std::nullopt;
  }
  const auto trace = header.substr(3, 32);
  const auto span = header.substr(36, 16);
  const auto flags = header.substr(53, 2);
  if (!isHex(trace) || isZero(trace) || !isHex(span) || isZero(span) || !isHex(flags)) {
    return std::nullopt;
  }
  return TraceContext{{fromHex(trace.substr(0, 16)), fromHex(trace.substr(16))},
                      fromHex(span),
                      (fromHex(flags) & 1U) != 0};
}

}  // namespace tipflow
