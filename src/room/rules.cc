#include "room/rules.h"

#include <algorithm>
#include <cctype>

#include "base/text.h"

namespace tipflow::room {
namespace {

std::string lowered(std::string_view text) {
  std::string lower(text);
  for (auto& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

bool isContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

std::size_t characters(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char c) { return !isContinuation(c); }));
}

}  // namespace

ListedWords::ListedWords(std::string_view words) {
  while (!words.empty()) {
    const auto comma = words.find(',');
    const auto word = trimmed(words.substr(0, comma));
    if (!word.empty()) words_.push_back(lowered(word));
    words.remove_prefix(comma == std::string_view::npos ? words.size() : comma + 1);
  }
}

std::string ListedWords::passed(std::string text) const {
  // One byte for each byte, so that places in both agree; stars are cut to characters at the end.
  const auto lower = lowered(text);
  std::vector<bool> hidden(text.size());
  for (const auto& word : words_) {
    for (auto at = lower.find(word); at != std::string::npos; at = lower.find(word, at + 1)) {
      std::fill_n(hidden.begin() + static_cast<std::ptrdiff_t>(at), word.size(), true);
    }
  }
  std::string shown;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!hidden[i]) {
      shown += text[i];
    } else if (!isContinuation(text[i])) {
      shown += '*';
    }
  }
  return shown;
}

Result<std::string> checkedChat(std::string_view text, std::size_t longest,
                                const WordFilter& filter) {
  const auto content = trimmed(text);
  const auto refuse = [](ErrorCode code, std::string detail) {
    return Rejection{ErrorCode::invalid_request, {}, {{"text", code, std::move(detail)}}};
  };
  if (content.empty() || characters(content) > longest) {
    return refuse(ErrorCode::out_of_range,
                  "must have 1 to " + std::to_string(longest) + " characters");
  }
  if (hasControl(content)) {
    return refuse(ErrorCode::invalid_format, "must not hold control characters");
  }
  auto shown = filter.passed(std::string(content));
  if (shown.empty()) return ErrorCode::chat_refused;
  return shown;
}

std::optional<Combo> Combos::add(const TipNews& tip) {
  if (tip.giftId == 0) return std::nullopt;
  auto& open = open_[{tip.viewer.id, tip.giftId}];
  const bool continues = open.combo.count > 0 && tip.acceptedAt - open.last <= window_;
  if (!continues) open.combo = {tip.id, 0};
  open.combo.count += tip.count;
  open.last = tip.acceptedAt;
  return continues ? std::optional(open.combo) : std::nullopt;
}

void Combos::forgetBefore(Time now) {
  std::erase_if(open_, [&](const auto& entry) { return now - entry.second.last > window_; });
}

}  // namespace tipflow::room
