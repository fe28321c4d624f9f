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

/// What a block of lines is found by, each once. Trace ids and numbers, of which every line has its
/// own, are marks: hashes, kept in no order. The rest are words, which lines share, and whose
/// beginnings can be looked for.
class BlockTerms {
 public:
  BlockTerms();
  void add(const Record& record);
  /// Blank between them.
  [[nodiscard]] const std::string& words() const { return words_; }
  [[nodiscard]] const std::vector<std::uint64_t>& marks() const { return marks_; }

 private:
  void addText(std::string_view text);
  void addValue(std::string_view value);
  void addLog(const Record& record);
  void addRoot(const Record& record);
  void put(std::string_view term);
  void mark(std::uint64_t mark);
  /// Whether this is the first of its kind in the block.
  bool isNew(std::uint64_t hash) { return seen_.insert(hash).second; }

  bool isLog_ = true;  // the record that is being added
  boost::unordered_flat_set<std::uint64_t> seen_;
  std::string words_;
  std::vector<std::uint64_t> marks_;
};

/// Which blocks are looked into. With neither words nor marks: all.
struct WantedTerms {
  std::string words;  ///< in the index's language; empty: any
  std::vector<std::uint64_t> marks;
  bool anyMark = false;  ///< one of the marks is enough
};

class RecordFilter {
 public:
  virtual ~RecordFilter() = default;
  [[nodiscard]] virtual RecordKind kind() const = 0;
  [[nodiscard]] virtual WantedTerms terms() const = 0;
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
  [[nodiscard]] WantedTerms terms() const override;
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
  [[nodiscard]] WantedTerms terms() const override;
  [[nodiscard]] bool fits(const Record& record) const override;
};

/// Spans of these traces, or spans that tell of these tips.
struct TraceFilter final : RecordFilter {
  std::vector<TraceId> ids;
  bool ofTips = false;

  [[nodiscard]] RecordKind kind() const override { return RecordKind::span; }
  [[nodiscard]] WantedTerms terms() const override;
  [[nodiscard]] std::vector<std::string> needles() const override;
  [[nodiscard]] bool fits(const Record& record) const override;
};

}  // namespace tipflow::console
