// One file of kept lines: blocks of them, compressed, and what leads from terms to blocks. Lines
// that do not fill a block yet stand in loose ones, which are not indexed but always looked into. A
// SegmentWriter adds to a file, SegmentReaders see it as it was at one instant.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "console/record.h"
#include "console/record_filter.h"
#include "platform/db/connection.h"

namespace tipflow::console {

/// A file, whose name is its number. It goes with the last who uses it, once it was dropped.
class Segment {
 public:
  Segment(std::string directory, std::int64_t number);
  ~Segment();
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  [[nodiscard]] std::int64_t number() const { return number_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::int64_t bytes() const;
  void drop() { dropped_ = true; }
  /// Moves the file to `path`, over what is there.
  void moveTo(const std::string& path) noexcept;

 private:
  std::int64_t number_;
  std::string path_;
  std::atomic<bool> dropped_{false};
};

/// Whether the file itself is at fault, and not the moment; also when it was set aside meanwhile.
bool isDamage(const Segment& segment, const db::Error& error);

struct Extent {
  std::int64_t lines = 0;
  Time created;
  Time oldest;  ///< of the lines; meaningless without any
  Time newest;
};

/// Larger blocks cost less to index and more to look into. Several are written at once, because a
/// word that occurs in all of them is then written once.
struct BlockSizes {
  std::size_t blockLines = 1'024;
  std::size_t blocksAtOnce = 4;
};

class SegmentWriter {
 public:
  /// Opens the file; makes it when it is new. Goes on with the loose lines that are there.
  SegmentWriter(const Segment& segment, BlockSizes sizes, Time now);

  /// Adds them all, or none and throws db::Error; then this writer is of no more use. What is no
  /// line is kept as one, written `now`, that says so.
  void append(std::string_view lines, Time now);
  /// Puts what is loose into blocks: nothing will be added any more. As `append` when it fails.
  void close();

  [[nodiscard]] const Extent& extent() const { return extent_; }

 private:
  struct Line {
    Time at;
    std::size_t end;  ///< in the text
  };
  /// The lines of one kind that are in no block yet, and what the blocks will be found by.
  struct Loose {
    std::string text;  ///< of all of them, each ended by a line feed
    std::vector<Line> lines;
    std::vector<BlockTerms> terms;
    std::int64_t first = 0;  ///< number of the first of them, or of the next line
  };
  /// Lines that stand one behind the other.
  struct Run {
    std::int64_t first;
    std::string_view text;
    std::span<const Line> lines;
  };
  /// Marks of blocks that are written together, ready to be written.
  struct Marks;

  void create(Time now);
  void load();
  void loadLoose(RecordKind kind);
  Loose& looseOf(RecordKind kind) { return kind == RecordKind::log ? logs_ : spans_; }
  void add(std::string_view text, Time now);
  void add(std::string_view text, const Record& record);
  /// The first `old` loose lines are on disk already.
  void write(RecordKind kind, std::size_t old);
  /// Puts the first `count` loose lines into blocks.
  void pack(RecordKind kind, std::size_t count);
  void writePacked(RecordKind kind, const Run& run, const BlockTerms& terms);
  void writeMarks(RecordKind kind, std::int64_t first, const Marks& marks);
  void writeLoose(RecordKind kind, const Run& run);
  /// From loose line `from` on.
  static Run runOf(const Loose& loose, std::size_t from, std::size_t count);

  std::unique_ptr<db::Connection> connection_;
  BlockSizes sizes_;
  Extent extent_;
  Loose logs_;
  Loose spans_;
};

/// Where a block is and from when its lines are.
struct RecordBlock {
  std::int64_t id = 0;
  std::int64_t first = 0;  ///< number of its first line among those of its kind in the file
  Time oldest;
  Time newest;
};

class SegmentReader {
 public:
  explicit SegmentReader(const Segment& segment);

  /// Whether its tables are ours; else nothing else may be asked.
  [[nodiscard]] bool isOfThisRelease() const { return isOfThisRelease_; }
  [[nodiscard]] Extent extent() const;
  /// The run of the machine in which the file was begun.
  [[nodiscard]] const std::string& boot() const { return boot_; }
  /// Blocks that may hold such lines, from `from` on and before `to`; those with the newest first.
  [[nodiscard]] std::vector<RecordBlock> blocks(RecordKind kind, const WantedTerms& terms,
                                                Time from, Time to) const;
  /// Its lines, each ended by a line feed.
  [[nodiscard]] std::string lines(const RecordBlock& block) const;

 private:
  /// Ids of the blocks in which all of the marks are, or one, as `terms` says; in order.
  [[nodiscard]] std::vector<std::int64_t> marked(RecordKind kind, const WantedTerms& terms) const;

  std::unique_ptr<db::Connection> connection_;
  std::int64_t blockLines_ = 0;
  bool isOfThisRelease_ = false;
  std::string boot_;
  Time created_;
};

/// Names this run of the machine: what was written since it began is whole, whatever became of the
/// processes that wrote it.
std::string bootId();

}  // namespace tipflow::console
