#include "platform/mask.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cmath>

#include "base/text.h"

namespace tipflow {
namespace {

namespace js = boost::json;

constexpr std::size_t kDeepest = 16;  // as bodies are read (platform/json.cc)
// Nobody reads more, and to look into a body of 16 MiB that is refused anyway would cost too much.
constexpr std::size_t kLongest = 256 * 1024;

/// In lower case. `password` counts within a longer name too: newPassword, old_password.
constexpr std::string_view kPassword = "password";
constexpr std::array<std::string_view, 5> kNames{"token", "signingkey", "realname", "bankaccount",
                                                 "phone"};

/// Each name by a letter of it that is rare in what people send: most text is passed over quickly.
struct RareLetter {
  char letter;
  std::size_t place;
  std::string_view word;
};
constexpr std::array<RareLetter, 6> kRareLetters{{{'w', 4, kPassword},
                                                  {'k', 2, "token"},
                                                  {'k', 7, "signingkey"},
                                                  {'l', 3, "realname"},
                                                  {'k', 3, "bankaccount"},
                                                  {'h', 1, "phone"}}};

constexpr std::array<bool, 256> kWorthALook = [] {
  std::array<bool, 256> marked{};
  marked['\\'] = marked['%'] = true;
  for (const auto& rare : kRareLetters) {
    marked[static_cast<unsigned char>(rare.letter)] = true;
    marked[static_cast<unsigned char>(rare.letter - 32)] = true;
  }
  return marked;
}();

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool equalLower(std::string_view text, std::string_view lowerWord) {
  return text.size() == lowerWord.size() &&
         std::equal(text.begin(), text.end(), lowerWord.begin(),
                    [](char a, char b) { return lower(a) == b; });
}

bool beginsLower(std::string_view text, std::string_view lowerWord) {
  return text.size() >= lowerWord.size() && equalLower(text.substr(0, lowerWord.size()), lowerWord);
}

bool containsLower(std::string_view text, std::string_view lowerWord) {
  return std::search(text.begin(), text.end(), lowerWord.begin(), lowerWord.end(),
                     [](char a, char b) { return lower(a) == b; }) != text.end();
}

void mask(js::value& value) {
  if (auto* list = value.if_array()) {
    for (auto& item : *list) mask(item);
  } else if (auto* object = value.if_object()) {
    for (auto& member : *object) {
      const auto name = member.key();
      if (isSecretName({name.data(), name.size()})) {
        member.value() = js::string_view(kMasked.data(), kMasked.size());
      } else {
        mask(member.value());
      }
    }
  } else if (const auto* number = value.if_double(); number && !std::isfinite(*number)) {
    value = nullptr;  // such as 1e999, which JSON readers refuse
  }
}

std::string lengthNote(std::string_view text) {
  return "(" + std::to_string(text.size()) + " bytes)";
}

int hexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char low = lower(c);
  return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

/// A parameter's name as the server reads it: `%xx` and `+` decoded, no blanks around.
std::string decodedName(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '%' && i + 2 < name.size() && hexDigit(name[i + 1]) >= 0 &&
        hexDigit(name[i + 2]) >= 0) {
      out += static_cast<char>(hexDigit(name[i + 1]) * 16 + hexDigit(name[i + 2]));
      i += 2;
    } else {
      out += name[i] == '+' ? ' ' : name[i];
    }
  }
  return std::string(trimmed(out));
}

}  // namespace

bool isSecretName(std::string_view name) {
  if (containsLower(name, kPassword)) return true;
  return std::any_of(kNames.begin(), kNames.end(),
                     [&](std::string_view word) { return equalLower(name, word); });
}

bool mayHoldSecrets(std::string_view text) {
  if (text.size() > kLongest) return true;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!kWorthALook[static_cast<unsigned char>(text[i])]) continue;
    const char c = lower(text[i]);
    if (c == '\\' || c == '%') return true;
    for (const auto& rare : kRareLetters) {
      if (c == rare.letter && i >= rare.place &&
          beginsLower(text.substr(i - rare.place), rare.word)) {
        return true;
      }
    }
  }
  return false;
}

std::string maskedJson(std::string_view body) noexcept {
  if (body.size() > kLongest) return lengthNote(body);
  js::parse_options options;
  options.max_depth = kDeepest;
  js::error_code error;
  auto value = js::parse({body.data(), body.size()}, error, {}, options);
  if (error || !value.is_structured()) return lengthNote(body);
  mask(value);
  return js::serialize(value);
}

std::string maskedQuery(std::string_view query) noexcept {
  std::string out;
  out.reserve(query.size());
  while (true) {
    const auto end = query.find('&');
    const auto pair = query.substr(0, end);
    const auto equals = pair.find('=');
    if (equals != std::string_view::npos && isSecretName(decodedName(pair.substr(0, equals)))) {
      out += pair.substr(0, equals + 1);
      out += kMasked;
    } else {
      out += pair;
    }
    if (end == std::string_view::npos) return out;
    out += '&';
    query.remove_prefix(end + 1);
  }
}

}  // namespace tipflow
