// Structured logs: one JSON object a line, written by a thread of its own. Fields are given as
// `field(name, value)`; values are escaped here, so no input can forge a line.
#pragma once

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/text.h"
#include "base/time.h"
#include "base/trace_context.h"
#include "platform/records.h"

namespace tipflow::log {

enum class Level { debug, info, warn, error };

struct Options {
  std::string node;
  Level level = Level::info;
  std::string file;  ///< empty: stderr
};

/// Starts the writer; `stop` writes what is left and ends it.
void start(const Options& options);
void stop();
/// Waits until what was written before is out of our hands: in the file and with the collector.
void flush();
[[nodiscard]] bool enabled(Level level);
[[nodiscard]] Level levelFromWord(std::string_view word);
/// The least level that is written, from now on.
void setLevel(Level level);
/// Lines that were not written since the start: too many waited, or the disk was full.
[[nodiscard]] std::int64_t dropped();

/// Is given all lines and spans as they are written, many at a time, on the writer's thread; must
/// be quick. The first is also given what was written before it. An empty one takes the last one
/// away.
using Collector = std::function<void(Lines lines)>;
void collectWith(Collector collector);

template <class T>
struct Field {
  std::string_view name;
  const T& value;
};
template <class T>
Field<T> field(std::string_view name, const T& value) {
  return {name, value};
}

/// What a line belongs to; both may be empty.
struct Belongs {
  std::string traceId;  ///< 32 hex digits
  std::string spanId;   ///< 16 hex digits
};
inline Belongs to(const TraceContext& context) {
  return {context.trace.hex(), context.span == 0 ? std::string{} : spanHex(context.span)};
}

/// Makes `text` one line, without its end. `fields` are JSON already: `,"name":value…`.
void formatLine(std::string& text, Level level, std::string_view role, const Belongs& belongs,
                std::string_view message, std::string_view fields);
/// Hands such a line to the writer.
void write(Level level, std::string_view role, const Belongs& belongs, std::string_view message,
           std::string_view fields);

/// A piece of work that is over: what it was, what it is part of, from when to when.
struct Span {
  std::string_view name;
  std::string_view role;
  TraceContext context;      ///< its own span
  std::uint64_t parent = 0;  ///< 0: the first of its trace
  Time start;
  Time end;
  bool error = false;
};
/// Spans go to the collector alone, not into the file.
void writeSpan(const Span& span, std::string_view fields);

template <std::integral T>
void appendInteger(std::string& out, T value) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}
/// As milliseconds, to the microsecond: 3.157, 12.
void appendMs(std::string& out, Duration duration);

template <class T>
void appendField(std::string& out, const Field<T>& f) {
  out += ",\"";
  out += f.name;
  out += "\":";
  if constexpr (std::same_as<T, bool>) {
    out += f.value ? "true" : "false";
  } else if constexpr (std::floating_point<T>) {
    if (std::isfinite(f.value)) {
      fmt::format_to(std::back_inserter(out), "{}", f.value);
    } else {
      out += "null";  // JSON has no word for it
    }
  } else if constexpr (std::integral<T>) {
    appendInteger(out, f.value);
  } else if constexpr (std::same_as<T, Duration>) {
    appendMs(out, f.value);
  } else {
    appendJsonString(out, f.value);
  }
}

template <class... T>
void line(Level level, std::string_view role, const Belongs& belongs, std::string_view message,
          const Field<T>&... fields) {
  if (!enabled(level)) return;
  thread_local std::string text;  // kept for its memory
  text.clear();
  (appendField(text, fields), ...);
  write(level, role, belongs, message, text);
}
template <class... T>
void span(const Span& span, const Field<T>&... fields) {
  thread_local std::string text;
  text.clear();
  (appendField(text, fields), ...);
  writeSpan(span, text);
}

template <class... T>
void info(std::string_view role, std::string_view message, const Field<T>&... fields) {
  line(Level::info, role, {}, message, fields...);
}
template <class... T>
void warn(std::string_view role, std::string_view message, const Field<T>&... fields) {
  line(Level::warn, role, {}, message, fields...);
}
template <class... T>
void error(std::string_view role, std::string_view message, const Field<T>&... fields) {
  line(Level::error, role, {}, message, fields...);
}

}  // namespace tipflow::log
