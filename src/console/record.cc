#include "console/record.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace tipflow::console {
namespace {

constexpr std::size_t kUsualFields = 16;
constexpr int kDeepest = 16;
constexpr std::int64_t kYear10000Us = 253'402'300'800 * kUsPerSecond;

// Ends a string, or escapes, or must be escaped.
constexpr auto kSpecial = [] {
  std::array<bool, 256> special{};
  for (unsigned c = 0; c < 0x20; ++c) special[c] = true;
  special['"'] = special['\\'] = true;
  return special;
}();

// Walks over JSON without blanks between its parts, as `log` writes it.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  [[nodiscard]] bool atEnd() const { return at_ == text_.size(); }

  /// What stands between the quotes.
  std::optional<std::string_view> string() {
    if (!take('"')) return std::nullopt;
    const auto* const begin = text_.data() + at_;
    const auto* const end = text_.data() + text_.size();
    for (const auto* next = begin; next < end; ++next) {
      if (!kSpecial[static_cast<unsigned char>(*next)]) continue;
      if (*next == '"') {
        at_ = static_cast<std::size_t>(next + 1 - text_.data());
        return std::string_view(begin, static_cast<std::size_t>(next - begin));
      }
      // A character of ASCII is escaped, never a line feed.
      if (*next != '\\' || ++next == end || *next < ' ') return std::nullopt;
    }
    return std::nullopt;
  }

  std::optional<std::string_view> value() {
    const auto start = at_;
    int depth = 0;
    do {
      if (at_ >= text_.size()) return std::nullopt;
      const char c = text_[at_];
      if (c == '"') {
        if (!string()) return std::nullopt;
      } else if (c == '{' || c == '[') {
        if (++depth > kDeepest) return std::nullopt;
        ++at_;
      } else if (c == '}' || c == ']') {
        if (--depth < 0) return std::nullopt;
        ++at_;
      } else if (depth > 0 && (c == ',' || c == ':')) {
        ++at_;
      } else if (!plain()) {
        return std::nullopt;
      }
    } while (depth > 0);
    return text_.substr(start, at_ - start);
  }

 private:
  // A number, or true, false, null.
  bool plain() {
    const auto start = at_;
    while (at_ < text_.size() && isPlain(text_[at_])) ++at_;
    return at_ > start;
  }
  static bool isPlain(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '+' || c == '.';
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

std::string_view unquoted(std::string_view value) {
  const bool quoted = value.size() >= 2 && value.front() == '"';
  return quoted ? value.substr(1, value.size() - 2) : std::string_view{};
}

std::optional<std::int64_t> integer(std::string_view value) {
  std::int64_t number = 0;
  const auto* end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, number);
  return error == std::errc{} && stop == end ? std::optional(number) : std::nullopt;
}

// Builds a Record out of members. A name counts for what it says once; the line's own fields come
// later and may be called the same.
class Builder {
 public:
  Builder() { record_.fields.reserve(kUsualFields); }

  void add(const Member& member) {
    if (!complete_ && takeHead(member.name, member.value)) {
      complete_ = isComplete();
      return;
    }
    record_.fields.push_back(member);
    if (member.name == "tip") record_.tip = unquoted(member.value);
  }

  std::optional<Record> finish() && {
    if (start_) record_.at = *start_;
    if (!hasTime_ || !hasText_) return std::nullopt;
    return std::move(record_);
  }

 private:
  // A log line of which nothing more than fields can come; most of a line's members do then.
  [[nodiscard]] bool isComplete() const {
    return hasTime_ && hasText_ && record_.kind == RecordKind::log && isGiven(record_.role) &&
           isGiven(record_.node) && isGiven(record_.traceId) && isGiven(record_.spanId);
  }
  static bool isGiven(std::string_view place) { return place.data() != nullptr; }

  bool takeHead(std::string_view name, std::string_view value) {
    if (name == "ts") return !hasTime_ && takeTime(value);
    if (name == "msg") return takeText(RecordKind::log, value);
    if (name == "span") return takeText(RecordKind::span, value);
    if (name == "role") return takeWord(record_.role, value);
    if (name == "node") return takeWord(record_.node, value);
    if (name == "traceId") return takeWord(record_.traceId, value);
    if (name == "spanId") return takeWord(record_.spanId, value);
    if (name == "level") return !hasText_ && takeSeverity(value);
    return record_.kind == RecordKind::span && takeSpanHead(name, value);
  }
  bool takeSpanHead(std::string_view name, std::string_view value) {
    if (name == "parentId") return takeWord(record_.parentId, value);
    if (name == "startUs" && !start_) {
      const auto us = integer(value);
      if (us && *us >= 0 && *us < kYear10000Us) start_ = Time{*us};
      return start_.has_value();
    }
    if (name == "us" && !hasTook_) {
      const auto us = integer(value);
      hasTook_ = us.has_value();
      if (us) record_.took = Duration{*us};
      return hasTook_;
    }
    if (name == "error" && !hasFailed_) {
      hasFailed_ = value == "true" || value == "false";
      record_.failed = value == "true";
      return hasFailed_;
    }
    return false;
  }
  bool takeTime(std::string_view value) {
    const auto time = parseTime(unquoted(value));
    if (time) record_.at = *time;
    hasTime_ = time.has_value();
    return hasTime_;
  }
  bool takeText(RecordKind kind, std::string_view value) {
    if (hasText_ || value.front() != '"') return false;
    record_.kind = kind;
    record_.text = unquoted(value);
    hasText_ = true;
    return true;
  }
  bool takeSeverity(std::string_view value) {
    const auto severity = fromWord<Severity>(unquoted(value));
    if (severity) record_.severity = *severity;
    return severity.has_value();
  }
  static bool takeWord(std::string_view& place, std::string_view value) {
    if (isGiven(place) || value.front() != '"') return false;
    place = unquoted(value);
    return true;
  }

  Record record_;
  std::optional<Time> start_;
  bool complete_ = false;
  bool hasTime_ = false;
  bool hasText_ = false;
  bool hasTook_ = false;
  bool hasFailed_ = false;
};

}  // namespace

bool Record::isRoot() const {
  if (parentId.empty()) return true;
  return std::any_of(fields.begin(), fields.end(), [](const Member& field) {
    return field.name == "path" && !field.value.starts_with("\"/internal/");
  });
}

std::optional<Record> readRecord(std::string_view line) {
  Reader reader(line);
  if (!reader.take('{')) return std::nullopt;
  Builder builder;
  do {
    const auto name = reader.string();
    if (!name || !reader.take(':')) return std::nullopt;
    const auto value = reader.value();
    if (!value) return std::nullopt;
    builder.add({*name, *value});
  } while (reader.take(','));
  if (!reader.take('}') || !reader.atEnd()) return std::nullopt;
  return std::move(builder).finish();
}

std::string unreadable(std::string_view text, Time at) {
  std::string line = "{\"ts\":\"" + formatTime(at) +
                     "\",\"level\":\"warn\",\"role\":\"console\",\"node\":\"\","
                     "\"msg\":\"a line that cannot be read\",\"line\":";
  appendJsonString(line, text);
  line += '}';
  return line;
}

}  // namespace tipflow::console
