#include "console/record_words.h"

namespace tipflow::console {
namespace {

constexpr std::size_t kHexId = 32;
constexpr std::size_t kUuid = 36;
constexpr std::size_t kUuidFirst = 8;  // digits up to its first dash

}  // namespace

std::optional<WrittenId> readId(std::string_view text, std::size_t length) {
  auto size = kHexId;
  if (length == kUuidFirst && text.size() >= kUuid && text[length] == '-') {
    const bool ends = text.size() == kUuid || !isWordByte(text[kUuid]);
    if (!ends) return std::nullopt;
    size = kUuid;
  } else if (length != kHexId) {
    return std::nullopt;
  }
  const auto id = TraceId::parse(text.substr(0, size));
  return id ? std::optional(WrittenId{*id, size}) : std::nullopt;
}

WantedWords wantedWords(std::string_view query) {
  // A backslash in a question is no escape.
  std::string text(query);
  std::replace(text.begin(), text.end(), '\\', ' ');
  WantedWords wanted;
  bool endsInWord = false;
  eachWord(
      text,
      [&](std::string_view word) {
        wanted.words.emplace_back(word);
        endsInWord = true;
      },
      [&](const TraceId& id) {
        wanted.ids.push_back(id);
        endsInWord = false;
      });
  if (endsInWord && isWordByte(text.back())) {
    const char first = wanted.words.back().front();
    wanted.lastIsPrefix = first >= 'a' && first <= 'z';
  }
  return wanted;
}

bool hasAll(const Record& record, const WantedWords& wanted) {
  std::vector<bool> words(wanted.words.size());
  std::vector<bool> ids(wanted.ids.size());
  eachWordOf(
      record,
      [&](std::string_view word) {
        for (std::size_t i = 0; i < words.size(); ++i) {
          const bool prefix = wanted.lastIsPrefix && i + 1 == words.size();
          if (prefix ? word.starts_with(wanted.words[i]) : word == wanted.words[i]) words[i] = true;
        }
      },
      [&](const TraceId& id) {
        for (std::size_t i = 0; i < ids.size(); ++i) {
          if (id == wanted.ids[i]) ids[i] = true;
        }
      });
  const auto all = [](const std::vector<bool>& seen) {
    return std::find(seen.begin(), seen.end(), false) == seen.end();
  };
  return all(words) && all(ids);
}

}  // namespace tipflow::console
