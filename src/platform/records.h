// Where the log lines and spans of all nodes go. The console role keeps them; who ships them there
// knows only this.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace tipflow {

/// Log lines and spans, each a JSON object as `log` writes it, one behind the other: one text is
/// handed from thread to thread, not as many as there are lines.
struct Lines {
  std::string text;  ///< each line ended by a line feed
  std::size_t count = 0;

  void add(std::string_view line) {
    text += line;
    text += '\n';
    ++count;
  }
  void add(const Lines& more) {
    text += more.text;
    count += more.count;
  }
};

/// Calls `use` for each line of `text`, without its end; empty ones are none.
template <class Use>
void eachLine(std::string_view text, Use&& use) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    if (end > 0) use(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

/// Where the log lines and spans of all nodes are kept.
class RecordSink {
 public:
  virtual ~RecordSink() = default;
  /// Keeps them all or throws; each is ended by a line feed. Blocking; not for an event loop.
  virtual void keep(std::string_view lines) = 0;
};

}  // namespace tipflow
