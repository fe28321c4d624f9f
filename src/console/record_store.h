// Keeps the log lines and spans of all nodes in files of its own and finds them again. Old files go
// by age and by size; a damaged one is set aside, and the rest goes on.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/time.h"
#include "console/record_search.h"
#include "console/record_segment.h"
#include "platform/records.h"

namespace tipflow::console {

struct RecordStoreOptions {
  std::string directory;
  Duration keepFor{7 * kUsPerDay};
  std::int64_t mostBytes = std::int64_t{4096} * 1024 * 1024;
  /// A file takes lines until it has that many, is that old, or is an eighth of the size allowed.
  std::int64_t segmentLines = 1'000'000;
  Duration segmentAge{kUsPerDay};
  BlockSizes blocks;
};

/// Thread-safe.
class RecordStore final : public RecordSink {
 public:
  RecordStore(RecordStoreOptions options, const Clock& clock);
  ~RecordStore() override;

  /// Looks at the files that are there; before anything else. Throws when the directory cannot be
  /// used.
  void open();
  /// Keeps them all or throws db::Error. What is no line is kept as one that says so.
  void keep(std::string_view lines) override;
  /// Blocks for as long as `wanted.until` says; not for an event loop.
  [[nodiscard]] Found find(const Search& wanted);

  [[nodiscard]] std::int64_t lines() const;
  [[nodiscard]] std::int64_t bytes() const;
  [[nodiscard]] std::size_t segments() const;

 private:
  struct Listed {
    std::shared_ptr<Segment> segment;
    Extent extent;
    std::int64_t bytes = 0;
  };

  void list(const std::string& name);
  void add(std::string_view lines);
  /// The writer of a file that takes more.
  SegmentWriter& writer();
  void begin();
  void finish();
  void publish();
  void retain();
  void setAside(const std::shared_ptr<Segment>& segment, const db::Error& error);
  [[nodiscard]] bool isListed(const Segment& segment) const;
  [[nodiscard]] std::vector<SearchedSegment> searched() const;

  const RecordStoreOptions options_;
  const Clock& clock_;

  std::mutex writing_;  // taken before mutex_
  std::shared_ptr<Segment> active_;
  std::unique_ptr<SegmentWriter> writer_;
  std::int64_t lastNumber_ = 0;
  Time retainedAt_;

  mutable std::mutex mutex_;
  std::vector<Listed> listed_;  // by number; the last may be the active one
};

}  // namespace tipflow::console
