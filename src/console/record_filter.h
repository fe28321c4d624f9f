// What is asked of the kept lines. Each filter has two sides that agree: terms, which lead to the
// blocks of lines that may hold such a line, and `fits`, which tells of one line whether it is one.
#pragma once

#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "base/trace_id.h"
#include "console/record.h"
#include "console/record_words.h"

namespace tipflow::console {

/// The terms of one block of lines: each once, blank between them.
class BlockTerms {
 public:
  void add(const Record& record);
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void addLog(const Record& record);
  void addRoot(const Record& record);
  void put(std::string_view term);

  boost::unordered_flat_set<std::uint64_t> seen_;
  std::string text_;
};

class RecordFilter {
 public:
  virtual ~RecordFilter() = default;
  [[nodiscard]] virtual RecordKind kind() const = 0;
  /// In the index's language; empty: any block.
  [[nodiscard]] virtual std::string expression() const = 0;
  /// What a line in lower case contains if it fits; cheap to look for.
  [[nodiscard]] virtual std::vector<std::string> needles() const { return {}; }
  [[nodiscard]] virtual bool fits(const Record& record) const = 0;
};

struct LogFilter final : RecordFilter {
  std::optional<TraceId> trace;  ///< of the line, or of the tip it tells of
  Severity least = Severity::debug;
  std::string role;  ///< empty: any
  WantedWords wanted;

  [[nodiscard]] RecordKind kind() const override { return RecordKind::log; }
  [[nodiscard]] std::string expression() const override;
  [[nodiscard]] std::vector<std::string> needles() const override;
  [[nodiscard]] bool fits(const Record& record) const override;
};

/// Spans at which a trace begins.
struct RootFilter final : RecordFilter {
  std::string role;  ///< empty: any
  std::string name;  ///< empty: any
  Duration least{0};
  std::optional<bool> failed;

  [[nodiscard]] RecordKind kind() const override { return RecordKind::span; }
  [[nodiscard]] std::string expression() const override;
  [[nodiscard]] bool fits(const Record& record) const override;
};

/// Spans of these traces, or spans that tell of these tips.
struct TraceFilter final : RecordFilter {
  std::vector<TraceId> ids;
  bool ofTips = false;

  [[nodiscard]] RecordKind kind() const override { return RecordKind::span; }
  [[nodiscard]] std::string expression() const override;
  [[nodiscard]] std::vector<std::string> needles() const override;
  [[nodiscard]] bool fits(const Record& record) const override;
};

}  // namespace tipflow::console
