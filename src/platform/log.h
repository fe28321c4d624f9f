// Structured logs: one JSON object a line, written by a thread of its own. Fields are given as
// `field(name, value)`; values are escaped here, so no input can forge a line.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <concepts>
#include <string>
#include <string_view>

#include "base/text.h"
#include "base/time.h"

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
[[nodiscard]] bool enabled(Level level);
[[nodiscard]] Level levelFromWord(std::string_view word);

template <class T>
struct Field {
  std::string_view name;
  const T& value;
};
template <class T>
Field<T> field(std::string_view name, const T& value) {
  return {name, value};
}

/// One line, without its end. `fields` are JSON already: `,"name":value…`.
std::string formatLine(Level level, std::string_view role, std::string_view traceId,
                       std::string_view message, std::string_view fields);
/// Hands such a line to the writer.
void write(Level level, std::string_view role, std::string_view traceId, std::string_view message,
           std::string_view fields);

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
    fmt::format_to(std::back_inserter(out), "{}", f.value);
  } else {
    appendJsonString(out, f.value);
  }
}

template <class... T>
void line(Level level, std::string_view role, std::string_view traceId, std::string_view message,
          const Field<T>&... fields) {
  if (!enabled(level)) return;
  thread_local std::string text;  // kept for its memory
  text.clear();
  (appendField(text, fields), ...);
  write(level, role, traceId, message, text);
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
