// How far a text goes on with characters that JSON writes as they are. Most bytes of a log are
// such, and they are passed over by eights.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace tipflow {

/// Printable ASCII, and neither a quote nor a backslash.
inline constexpr auto kPlainAscii = [] {
  std::array<bool, 256> plain{};
  for (unsigned c = 0x20; c < 0x7F; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}();
inline bool isPlainAscii(char c) { return kPlainAscii[static_cast<unsigned char>(c)]; }

/// How many such bytes `text` begins with.
inline std::size_t plainPrefix(std::string_view text) {
  std::size_t at = 0;
  if constexpr (std::endian::native == std::endian::little) {
    constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
    constexpr std::uint64_t kHighs = 0x8080808080808080ULL;
    for (; at + sizeof(std::uint64_t) <= text.size(); at += sizeof(std::uint64_t)) {
      std::uint64_t bytes;
      std::memcpy(&bytes, text.data() + at, sizeof bytes);
      // Where a byte is the one looked for, or below 0x20, its high bit comes up by the
      // subtraction. What is borrowed can spoil only bytes behind the first that is found.
      const auto found = (bytes | (bytes - kOnes * 0x20) | ((bytes ^ (kOnes * '"')) - kOnes) |
                          ((bytes ^ (kOnes * '\\')) - kOnes) | ((bytes ^ (kOnes * 0x7F)) - kOnes)) &
                         kHighs;
      if (found != 0) return at + static_cast<std::size_t>(std::countr_zero(found)) / 8;
    }
  }
  while (at < text.size() && isPlainAscii(text[at])) ++at;
  return at;
}

}  // namespace tipflow
