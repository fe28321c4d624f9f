// Which words a line is found by. One rule for what is written into the index, for what is looked
// for, and for telling whether a line that the index proposes has all of it.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/trace_id.h"
#include "console/record.h"

namespace tipflow::console {

/// Longer words count by their beginning.
inline constexpr std::size_t kLongestWord = 64;

inline bool isDigit(char c) { return c >= '0' && c <= '9'; }
inline char lowered(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

/// In lower case; 0 for what belongs to no word.
inline constexpr auto kWordBytes = [] {
  std::array<char, 256> bytes{};
  for (char c = '0'; c <= '9'; ++c) bytes[c] = c;
  for (char c = 'a'; c <= 'z'; ++c) bytes[c] = bytes[c - 32] = c;
  return bytes;
}();
inline char wordByte(char c) { return kWordBytes[static_cast<unsigned char>(c)]; }
inline bool isWordByte(char c) { return wordByte(c) != 0; }

struct WrittenId {
  TraceId id;
  std::size_t size;  ///< of its digits and dashes
};
/// The trace id at the start of `text`, whose first word has `length` letters: 32 hex digits, or a
/// UUID that ends where a word does.
std::optional<WrittenId> readId(std::string_view text, std::size_t length);
inline std::optional<WrittenId> idOf(std::string_view text, std::size_t length) {
  return length == 32 || length == 8 ? readId(text, length) : std::nullopt;
}

/// Calls `onWord` for each word of a JSON text: runs of ASCII letters and digits, in lower case;
/// every other character by itself, so that text without blanks is found by any part of it. Escapes
/// separate. Trace ids are no words: `onId` is called for them, however they are written.
template <class OnWord, class OnId>
void eachWord(std::string_view text, OnWord&& onWord, OnId&& onId) {
  std::array<char, kLongestWord> word;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (c == '\\') {
      at += at + 1 < text.size() && text[at + 1] == 'u' ? 6 : 2;
      continue;
    }
    if (isWordByte(c)) {
      std::size_t length = 0;
      const auto longest = std::min(text.size() - at, word.size());
      for (; length < longest && isWordByte(text[at + length]); ++length) {
        word[length] = wordByte(text[at + length]);
      }
      auto end = at + length;
      while (end < text.size() && isWordByte(text[end])) ++end;
      if (const auto id = idOf(text.substr(at), end - at)) {
        onId(id->id);
        at += id->size;
        continue;
      }
      onWord(std::string_view(word.data(), length));
      at = end;
      continue;
    }
    if (static_cast<unsigned char>(c) < 0x80) {
      ++at;
      continue;
    }
    const auto start = at++;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) ++at;
    onWord(text.substr(start, at - start));
  }
}

/// Nobody looks for how many thousandths something took, and there are as many as lines.
inline bool isFraction(std::string_view value) {
  const bool isNumber = value.front() == '-' || (value.front() >= '0' && value.front() <= '9');
  return isNumber && value.find('.') != std::string_view::npos;
}

/// The words of a record: of its text, its node, its fields' values; and its trace id.
template <class OnWord, class OnId>
void eachWordOf(const Record& record, OnWord&& onWord, OnId&& onId) {
  eachWord(record.traceId, onWord, onId);
  eachWord(record.text, onWord, onId);
  eachWord(record.node, onWord, onId);
  for (const auto& field : record.fields) {
    if (!isFraction(field.value)) eachWord(field.value, onWord, onId);
  }
}

/// Words that must all occur.
struct WantedWords {
  std::vector<std::string> words;
  std::vector<TraceId> ids;
  bool lastIsPrefix = false;  ///< the last of `words` may be the beginning of one

  [[nodiscard]] bool none() const { return words.empty() && ids.empty(); }
};

/// What `q` asks for. The last word is being typed, so it may go on; a number may not: nobody looks
/// for all numbers that begin with 10.
WantedWords wantedWords(std::string_view query);

/// Whether all of them occur in the record.
bool hasAll(const Record& record, const WantedWords& wanted);

}  // namespace tipflow::console
