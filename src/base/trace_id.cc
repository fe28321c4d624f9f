#include "base/trace_id.h"

#include <stdexcept>

namespace tipflow {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

int hexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool isDashPlace(std::size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

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
  const bool dashed = text.size() == 36;
  if (!dashed && text.size() != 32) return std::nullopt;
  TraceId id;
  int digits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (dashed && isDashPlace(i)) {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    const int value = hexValue(text[i]);
    if (value < 0) return std::nullopt;
    auto& half = digits < 16 ? id.high : id.low;
    half = (half << 4) | static_cast<std::uint64_t>(value);
    ++digits;
  }
  return id;
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
