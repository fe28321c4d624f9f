// `--record`: what became of every tip, as JSON lines for the auditor. Lines are collected in
// memory and written a few hundred kilobytes at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/trace_id.h"
#include "load/choice.h"

namespace tipflow::load {

/// A file that several streams append to. Throws std::runtime_error when it cannot be written.
class JournalFile {
 public:
  explicit JournalFile(const std::string& path);
  ~JournalFile();
  JournalFile(const JournalFile&) = delete;
  JournalFile& operator=(const JournalFile&) = delete;

  /// Appends whole lines; from any thread.
  void write(std::string_view lines);

 private:
  std::string path_;
  int file_;
  std::mutex mutex_;
};

/// One line's content.
struct JournalEntry {
  TraceId traceId;
  std::int64_t viewerId = 0;
  std::int64_t roomId = 0;
  std::string_view outcome;
  std::int64_t tipId = 0;  ///< 0: none
};
void appendLine(std::string& out, const JournalEntry& entry, const Choice& choice);

/// One stream's part. Without a file it does nothing.
class Journal {
 public:
  explicit Journal(JournalFile* file) : file_(file) {}

  [[nodiscard]] bool wanted() const { return file_ != nullptr; }
  void add(const JournalEntry& entry, const Choice& choice);
  /// Hands on what is collected.
  void flush();

 private:
  JournalFile* file_;
  std::string lines_;
};

}  // namespace tipflow::load
