#include "base/text.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/plain_text.h"

namespace tipflow {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// Unicode's White_Space, zero-width and directional marks, and letters without a shape. Joiners
// inside a word or an emoji are not touched: only the ends are trimmed.
constexpr std::array kBlank{
    std::pair{U'\x0009', U'\x000D'}, std::pair{U'\x0020', U'\x0020'},
    std::pair{U'\x0085', U'\x0085'}, std::pair{U'\x00A0', U'\x00A0'},
    std::pair{U'\x00AD', U'\x00AD'}, std::pair{U'\x061C', U'\x061C'},
    std::pair{U'\x115F', U'\x1160'}, std::pair{U'\x1680', U'\x1680'},
    std::pair{U'\x180E', U'\x180E'}, std::pair{U'\x2000', U'\x200F'},
    std::pair{U'\x2028', U'\x202F'}, std::pair{U'\x205F', U'\x2064'},
    std::pair{U'\x2066', U'\x2069'}, std::pair{U'\x2800', U'\x2800'},
    std::pair{U'\x3000', U'\x3000'}, std::pair{U'\x3164', U'\x3164'},
    std::pair{U'\xFEFF', U'\xFEFF'}, std::pair{U'\xFFA0', U'\xFFA0'},
};

bool isControl(char32_t c) { return c < 0x20 || (c >= 0x7F && c < 0xA0); }

// Plain in a JSON string and in a line of a log.
bool isPlain(char32_t c) {
  return !isControl(c) && c != U'"' && c != U'\\' && c != U'\x2028' && c != U'\x2029';
}

void appendEscape(std::string& out, char32_t c) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += kDigits[(c >> shift) & 0xF];
}

}  // namespace

Character firstCharacter(std::string_view text) {
  if (text.empty()) return {};
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) return {lead, 1};
  const std::size_t size = lead < 0xC2   ? 0
                           : lead < 0xE0 ? 2
                           : lead < 0xF0 ? 3
                           : lead < 0xF5 ? 4
                                         : 0;
  if (size == 0 || text.size() < size) return {};
  char32_t value = lead & (0x7Fu >> size);
  for (std::size_t i = 1; i < size; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xC0) != 0x80) return {};
    value = (value << 6) | (next & 0x3Fu);
  }
  const bool overlong = (size == 3 && value < 0x800) || (size == 4 && value < 0x10000);
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (overlong || surrogate || value > 0x10FFFF) return {};
  return {value, size};
}

bool isBlank(char32_t c) {
  return std::any_of(kBlank.begin(), kBlank.end(),
                     [c](const auto& range) { return c >= range.first && c <= range.second; });
}

std::string_view trimmed(std::string_view utf8) {
  std::size_t start = utf8.size();
  std::size_t end = 0;
  for (std::size_t at = 0; at < utf8.size();) {
    const auto c = firstCharacter(utf8.substr(at));
    const auto next = at + std::max<std::size_t>(c.size, 1);
    if (c.size == 0 || !isBlank(c.value)) {
      start = std::min(start, at);
      end = next;
    }
    at = next;
  }
  return start < end ? utf8.substr(start, end - start) : std::string_view{};
}

bool hasControl(std::string_view utf8) {
  while (!utf8.empty()) {
    const auto c = firstCharacter(utf8);
    if (c.size != 0 && isControl(c.value)) return true;
    utf8.remove_prefix(std::max<std::size_t>(c.size, 1));
  }
  return false;
}

void appendJsonString(std::string& out, std::string_view text) {
  const auto plain = plainPrefix(text);
  out += '"';
  out += text.substr(0, plain);
  // JSON within JSON has a quote at every other word: what is escaped is gathered in pieces, for
  // appending each run between two quotes would cost more than looking at its bytes.
  std::array<char, 256> piece;
  for (std::size_t at = plain; at < text.size();) {
    std::size_t size = 0;
    const auto end = std::min(text.size(), at + piece.size() / 2);
    for (; at < end; ++at) {
      const char byte = text[at];
      const bool escaped = byte == '"' || byte == '\\';
      if (!escaped && !isPlainAscii(byte)) break;
      if (escaped) piece[size++] = '\\';
      piece[size++] = byte;
    }
    out.append(piece.data(), size);
    if (at == end) continue;
    const auto c = firstCharacter(text.substr(at));
    const auto bytes = std::max<std::size_t>(c.size, 1);
    if (c.size == 0) {
      out += kReplacement;
    } else if (isPlain(c.value)) {
      out += text.substr(at, bytes);
    } else {
      appendEscape(out, c.value);
    }
    at += bytes;
  }
  out += '"';
}

}  // namespace tipflow
