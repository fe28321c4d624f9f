// One log line or span as `log` writes it, read without copying: a JSON object on one line, whose
// members say when, where, how grave, and to which trace it belongs; the rest are its fields.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/enums.h"
#include "base/time.h"

namespace tipflow::console {

/// Ordered: each is worse than the one before.
enum class Severity { debug, info, warn, error };
/// Part of what is on disk.
enum class RecordKind { log = 1, span = 2 };

/// A member of a JSON object: its name without quotes and its value as it is written.
struct Member {
  std::string_view name;
  std::string_view value;
};

/// All views are into the line. Text is as JSON writes it: escapes stand.
struct Record {
  RecordKind kind = RecordKind::log;
  Time at;  ///< of a span: its start
  std::string_view role;
  std::string_view node;
  std::string_view traceId;  ///< hex digits, or nothing
  std::string_view spanId;
  std::string_view parentId;
  std::string_view text;  ///< the message, or the span's name
  Severity severity = Severity::info;
  Duration took{};      ///< of a span
  bool failed = false;  ///< of a span
  std::vector<Member> fields;
  std::string_view tip;  ///< of the field of that name: the tip's traceId

  /// Whether a trace begins here as far as the platform knows: nobody asked, or somebody outside.
  [[nodiscard]] bool isRoot() const;
};

/// nullopt for what is not such a line. Checks the outline only: strings end, brackets close, there
/// is a time and a text. Whether all of it is JSON is seen when it is shown.
std::optional<Record> readRecord(std::string_view line);

/// A line that says that this text is not one.
std::string unreadable(std::string_view text, Time at);

}  // namespace tipflow::console

template <>
struct tipflow::EnumWords<tipflow::console::Severity> {
  using Severity = console::Severity;
  static constexpr std::array values{std::pair{std::string_view{"debug"}, Severity::debug},
                                     std::pair{std::string_view{"info"}, Severity::info},
                                     std::pair{std::string_view{"warn"}, Severity::warn},
                                     std::pair{std::string_view{"error"}, Severity::error}};
};
