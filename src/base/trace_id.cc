#include "base/trace_id.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <stdexcept>

namespace tipflow {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

constexpr std::uint8_t kNoDigit = 0xFF;
constexpr auto kHexValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNoDigit);
  for (std::uint8_t i = 0; i < 10; ++i) values['0' + i] = i;
  for (std::uint8_t i = 0; i < 6; ++i) values['a' + i] = values['A' + i] = 10 + i;
  return values;
}();

// The id of 32 digits.
std::optional<TraceId> ofDigits(const char* digits) {
  TraceId id;
  unsigned all = 0;  // what is no digit shows in it
  const auto half = [&](const char* from) {
    std::uint64_t value = 0;
    for (int i = 0; i < 16; ++i) {
      const auto digit = kHexValues[static_cast<unsigned char>(from[i])];
      all |= digit;
      value = value << 4U | (digit & 0xFU);
    }
    return value;
  };
  id.high = half(digits);
  id.low = half(digits + 16);
  return all <= 0xF ? std::optional(id) : std::nullopt;
}

}  // namespace

std::string TraceId::hex() const {
  std::string text(32, '0');
  for (int i = 0; i < 16; ++i) {
    text[i] = kHexDigits[(high >> (60 - 4 * i)) & 0xF];
    text[16 + i] = kHexDigits[(low >> (60 - 4 * i)) & 0xF];
  }
  return text;
}

std::array<char, 16> TraceId::bytes() const {
  std::array<char, 16> out{};
  for (int i = 0; i < 8; ++i) {
    out[i] = static_cast<char>(high >> (56 - 8 * i));
    out[8 + i] = static_cast<char>(low >> (56 - 8 * i));
  }
  return out;
}

std::optional<TraceId> TraceId::parse(std::string_view text) {
  if (text.size() == 32) return ofDigits(text.data());
  if (text.size() != 36) return std::nullopt;
  std::array<char, 32> digits;
  auto* next = digits.data();
  for (std::size_t at = 0; const std::size_t group : {8, 4, 4, 4, 12}) {
    if (at > 0 && text[at++] != '-') return std::nullopt;
    next = std::copy_n(text.data() + at, group, next);
    at += group;
  }
  return ofDigits(digits.data());
}

TraceId TraceId::fromBytes(std::string_view bytes) {
  if (bytes.size() != 16) throw std::invalid_argument("a trace id has 16 bytes");
  TraceId id;
  for (int i = 0; i < 8; ++i) {
    id.high = (id.high << 8) | static_cast<unsigned char>(bytes[i]);
    id.low = (id.low << 8) | static_cast<unsigned char>(bytes[8 + i]);
  }
  return id;
}

TraceId TraceId::make(Time now, Random& random) {
  const auto ms = static_cast<std::uint64_t>(now.us / kUsPerMs);
  TraceId id;
  id.high = (ms << 16) | 0x7000 | (random.bits() & 0x0FFF);  // version 7 (RFC 9562)
  id.low = (random.bits() >> 2) | (std::uint64_t{1} << 63);  // variant 10
  return id;
}

}  // namespace tipflow
