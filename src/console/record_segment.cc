#include "console/record_segment.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>

#include "console/squeeze.h"
#include "platform/records.h"

namespace tipflow::console {
namespace {

constexpr int kCorrupt = 11;       // SQLITE_CORRUPT
constexpr int kNotADatabase = 26;  // SQLITE_NOTADB
constexpr std::int64_t kFormat = 2;
// Ids of blocks rise within a kind, and those of spans stand after those of logs: the index takes
// what comes in order without being written out in between.
constexpr int kKindShift = 40;
constexpr std::int64_t kNumberMask = (std::int64_t{1} << kKindShift) - 1;

// Marks stand in parts, so that a search reads one part of them. An id is the part's number, then
// that of the first of the blocks that were written together.
constexpr int kPartBits = 6;
constexpr std::size_t kParts = std::size_t{1} << kPartBits;
constexpr int kPartShift = 48;
// The rest of a mark, as much as tells it from the others, and behind it which block it is of.
constexpr int kPlaceBits = 8;
constexpr std::size_t kMostTogether = std::size_t{1} << kPlaceBits;

std::size_t partOf(std::uint64_t mark) { return mark >> (64U - kPartBits); }
std::uint32_t entryOf(std::uint64_t mark, std::size_t place) {
  return static_cast<std::uint32_t>(mark << kPlaceBits) | static_cast<std::uint32_t>(place);
}

constexpr const char* kSuffixes[] = {"", "-wal", "-shm"};

// Lines are worth less than a tip: what a power cut takes of them may be lost, and a process that
// is killed loses nothing, because the system holds what was written.
constexpr const char* kSettings[] = {"PRAGMA synchronous=OFF", "PRAGMA wal_autocheckpoint=4000",
                                     "PRAGMA cache_size=-16384"};

// Parts of the index are merged late: a search looks into more of them, which costs it less than
// merging costs each line.
constexpr const char* kSchema[] = {
    "CREATE TABLE about (format INTEGER, boot TEXT, created_us INTEGER, block_lines INTEGER)",
    "CREATE TABLE block (id INTEGER PRIMARY KEY, kind INTEGER, packed INTEGER, lines INTEGER,"
    " bytes INTEGER, oldest_us INTEGER, newest_us INTEGER, data BLOB)",
    "CREATE INDEX block_time ON block (kind, newest_us, oldest_us, lines)",
    "CREATE INDEX block_loose ON block (kind, newest_us, oldest_us) WHERE packed = 0",
    "CREATE TABLE mark (id INTEGER PRIMARY KEY, entries BLOB)",
    "CREATE VIRTUAL TABLE term USING fts5(t, content='', detail=none, columnsize=0,"
    " tokenize='ascii')",
    "INSERT INTO term (term, rank) VALUES ('automerge', 16)",
    "INSERT INTO term (term, rank) VALUES ('crisismerge', 64)",
};

constexpr const char* kTables = "SELECT 1 FROM sqlite_master WHERE name = 'about'";
constexpr const char* kSaveAbout = "INSERT INTO about VALUES (?, ?, ?, ?)";
// The format stands first; what else there is depends on it.
constexpr const char* kReadAbout = "SELECT * FROM about";
constexpr const char* kExtent =
    "SELECT COALESCE(SUM(lines), 0), COALESCE(MIN(oldest_us), 0), COALESCE(MAX(newest_us), 0)"
    " FROM block";
constexpr const char* kNextId = "SELECT id, lines FROM block WHERE id < ? ORDER BY id DESC LIMIT 1";
constexpr const char* kReadLoose =
    "SELECT id, data FROM block WHERE kind = ? AND packed = 0 ORDER BY id";
constexpr const char* kSaveBlock = "INSERT INTO block VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
constexpr const char* kSaveTerms = "INSERT INTO term (rowid, t) VALUES (?, ?)";
constexpr const char* kDropLoose = "DELETE FROM block WHERE kind = ? AND packed = 0";
constexpr const char* kAllBlocks =
    "SELECT id, oldest_us, newest_us FROM block"
    " WHERE kind = ? AND newest_us >= ? AND oldest_us < ? ORDER BY newest_us DESC";
constexpr const char* kBlocksByTerm =
    "SELECT id, oldest_us, newest_us FROM block WHERE kind = ?1 AND newest_us >= ?2"
    " AND oldest_us < ?3 AND id IN (SELECT rowid FROM term WHERE term MATCH ?4)"
    " UNION ALL SELECT id, oldest_us, newest_us FROM block"
    " WHERE kind = ?1 AND newest_us >= ?2 AND oldest_us < ?3 AND packed = 0"
    " ORDER BY newest_us DESC";
constexpr const char* kLooseBlocks =
    "SELECT id, oldest_us, newest_us FROM block"
    " WHERE kind = ? AND newest_us >= ? AND oldest_us < ? AND packed = 0 ORDER BY newest_us DESC";
constexpr const char* kSaveMarks = "INSERT INTO mark VALUES (?, ?)";
constexpr const char* kReadMarks = "SELECT id, entries FROM mark WHERE id BETWEEN ? AND ?";
constexpr const char* kReadBlock = "SELECT packed, bytes, data FROM block WHERE id = ?";

std::int64_t idOf(RecordKind kind, std::int64_t number) {
  return (static_cast<std::int64_t>(kind) << kKindShift) | number;
}

std::unique_ptr<db::Connection> open(const Segment& segment) {
  auto connection = db::connect(db::Url::parse("sqlite:" + segment.path()));
  for (const auto* setting : kSettings) connection->query(setting, {}, [](const db::Row&) {});
  return connection;
}

bool hasTables(db::Connection& connection) {
  bool found = false;
  connection.query(kTables, {}, [&](const db::Row&) { found = true; });
  return found;
}

template <class Lines>
std::pair<Time, Time> timesOf(const Lines& lines) {
  const auto [oldest, newest] = std::minmax_element(
      lines.begin(), lines.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
  return {oldest->at, newest->at};
}

std::int64_t markId(std::size_t part, std::int64_t block) {
  return (static_cast<std::int64_t>(part) << kPartShift) | block;
}

}  // namespace

bool isDamage(const Segment& segment, const db::Error& error) {
  const int code = error.code() & 0xFF;
  return code == kCorrupt || code == kNotADatabase || !std::filesystem::exists(segment.path());
}

std::string bootId() {
  std::string id;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> id;
  return id;
}

Segment::Segment(std::string directory, std::int64_t number)
    : number_(number), path_(fmt::format("{}/{:08}.sqlite", directory, number)) {}

Segment::~Segment() {
  if (!dropped_) return;
  for (const auto* suffix : kSuffixes) std::remove((path_ + suffix).c_str());
}

std::int64_t Segment::bytes() const {
  std::int64_t sum = 0;
  for (const auto* suffix : kSuffixes) {
    std::error_code error;
    const auto size = std::filesystem::file_size(path_ + suffix, error);
    if (!error) sum += static_cast<std::int64_t>(size);
  }
  return sum;
}

void Segment::moveTo(const std::string& path) noexcept {
  for (const auto* suffix : kSuffixes) {
    std::remove((path + suffix).c_str());
    std::rename((path_ + suffix).c_str(), (path + suffix).c_str());
  }
}

// Writing ----------------------------------------------------------------------------------------

SegmentWriter::SegmentWriter(const Segment& segment, BlockSizes sizes, Time now) : sizes_(sizes) {
  connection_ = open(segment);
  if (!hasTables(*connection_)) create(now);
  load();
}

void SegmentWriter::create(Time now) {
  connection_->begin();
  for (const auto* statement : kSchema) connection_->exec(statement);
  connection_->exec(kSaveAbout, {kFormat, bootId(), now, sizes_.blockLines});
  connection_->commit();
}

void SegmentWriter::load() {
  connection_->query(kReadAbout, {}, [&](const db::Row& row) {
    extent_.created = row.time(2);
    sizes_.blockLines = static_cast<std::size_t>(row.integer(3));
  });
  connection_->query(kExtent, {}, [&](const db::Row& row) {
    extent_.lines = row.integer(0);
    extent_.oldest = row.time(1);
    extent_.newest = row.time(2);
  });
  loadLoose(RecordKind::log);
  loadLoose(RecordKind::span);
}

void SegmentWriter::loadLoose(RecordKind kind) {
  auto& loose = looseOf(kind);
  bool any = false;
  connection_->query(kReadLoose, {kind}, [&](const db::Row& row) {
    if (!any) loose.first = row.integer(0) & kNumberMask;
    any = true;
    for (auto text = row.text(1); !text.empty();) {
      const auto end = text.find('\n');
      const auto record = readRecord(text.substr(0, end));
      if (end == std::string_view::npos || !record || record->kind != kind) {
        throw db::Error(kCorrupt, "loose lines that are none");
      }
      add(text.substr(0, end), *record);
      text.remove_prefix(end + 1);
    }
  });
  if (any) return;
  connection_->query(kNextId, {idOf(kind, kNumberMask)}, [&](const db::Row& row) {
    const auto id = row.integer(0);
    if ((id >> kKindShift) != static_cast<std::int64_t>(kind)) return;
    loose.first = (id & kNumberMask) + row.integer(1);
  });
}

void SegmentWriter::append(std::string_view lines, Time now) {
  if (lines.empty()) return;
  const auto logs = logs_.lines.size();
  const auto spans = spans_.lines.size();
  eachLine(lines, [&](std::string_view line) { add(line, now); });
  connection_->begin();
  write(RecordKind::log, logs);
  write(RecordKind::span, spans);
  connection_->commit();
}

void SegmentWriter::add(std::string_view text, Time now) {
  if (const auto record = readRecord(text)) return add(text, *record);
  const auto line = unreadable(text, now);
  add(line, readRecord(line).value());
}

void SegmentWriter::add(std::string_view text, const Record& record) {
  auto& loose = looseOf(record.kind);
  if (loose.lines.size() == loose.terms.size() * sizes_.blockLines) loose.terms.emplace_back();
  loose.terms.back().add(record);
  loose.text += text;
  loose.text += '\n';
  loose.lines.push_back({record.at, loose.text.size()});
}

void SegmentWriter::close() {
  connection_->begin();
  for (const auto kind : {RecordKind::log, RecordKind::span}) {
    if (!looseOf(kind).lines.empty()) pack(kind, looseOf(kind).lines.size());
  }
  connection_->commit();
  connection_.reset();
}

SegmentWriter::Run SegmentWriter::runOf(const Loose& loose, std::size_t from, std::size_t count) {
  const auto begin = from == 0 ? 0 : loose.lines[from - 1].end;
  const auto end = count == 0 ? begin : loose.lines[from + count - 1].end;
  return {loose.first + static_cast<std::int64_t>(from),
          std::string_view(loose.text).substr(begin, end - begin),
          std::span(loose.lines).subspan(from, count)};
}

void SegmentWriter::write(RecordKind kind, std::size_t old) {
  const auto& loose = looseOf(kind);
  const auto count = loose.lines.size();
  const auto added = runOf(loose, old, count - old);
  if (added.lines.empty()) return;
  const auto [oldest, newest] = timesOf(added.lines);
  extent_.oldest = extent_.lines == 0 ? oldest : std::min(extent_.oldest, oldest);
  extent_.newest = extent_.lines == 0 ? newest : std::max(extent_.newest, newest);
  extent_.lines += static_cast<std::int64_t>(added.lines.size());

  if (count >= sizes_.blockLines * sizes_.blocksAtOnce) {
    pack(kind, count - count % sizes_.blockLines);
  } else {
    writeLoose(kind, added);
  }
}

struct SegmentWriter::Marks {
  std::array<std::vector<std::uint32_t>, kParts> entries;

  void add(const std::vector<std::uint64_t>& marks, std::size_t place) {
    for (const auto mark : marks) entries[partOf(mark)].push_back(entryOf(mark, place));
  }
};

void SegmentWriter::pack(RecordKind kind, std::size_t count) {
  auto& loose = looseOf(kind);
  connection_->exec(kDropLoose, {kind});
  const auto together = std::min(sizes_.blocksAtOnce, kMostTogether);
  auto terms = loose.terms.begin();
  for (std::size_t done = 0; done < count;) {
    const auto first = loose.first + static_cast<std::int64_t>(done);
    Marks marks;
    for (std::size_t place = 0; place < together && done < count; ++place, ++terms) {
      const auto run = runOf(loose, done, std::min(count - done, sizes_.blockLines));
      writePacked(kind, run, *terms);
      marks.add(terms->marks(), place);
      done += run.lines.size();
    }
    writeMarks(kind, first, marks);
  }
  const auto rest = runOf(loose, count, loose.lines.size() - count);
  writeLoose(kind, rest);

  const auto packed = loose.text.size() - rest.text.size();
  loose.first = rest.first;
  loose.text.erase(0, packed);
  loose.terms.erase(loose.terms.begin(), terms);
  loose.lines.erase(loose.lines.begin(), loose.lines.begin() + static_cast<std::ptrdiff_t>(count));
  for (auto& line : loose.lines) line.end -= packed;
}

void SegmentWriter::writeLoose(RecordKind kind, const Run& run) {
  if (run.lines.empty()) return;
  const auto [oldest, newest] = timesOf(run.lines);
  connection_->exec(kSaveBlock, {idOf(kind, run.first), kind, false, run.lines.size(),
                                 run.text.size(), oldest, newest, db::Bytes{run.text}});
}

void SegmentWriter::writePacked(RecordKind kind, const Run& run, const BlockTerms& terms) {
  const auto packed = squeezed(run.text);
  const auto [oldest, newest] = timesOf(run.lines);
  const auto id = idOf(kind, run.first);
  connection_->exec(kSaveBlock, {id, kind, true, run.lines.size(), run.text.size(), oldest, newest,
                                 db::Bytes{packed}});
  connection_->exec(kSaveTerms, {id, terms.words()});
}

void SegmentWriter::writeMarks(RecordKind kind, std::int64_t first, const Marks& marks) {
  for (std::size_t part = 0; part < kParts; ++part) {
    const auto& entries = marks.entries[part];
    if (entries.empty()) continue;
    const std::string_view bytes(reinterpret_cast<const char*>(entries.data()),
                                 entries.size() * sizeof(std::uint32_t));
    connection_->exec(kSaveMarks, {markId(part, idOf(kind, first)), db::Bytes{bytes}});
  }
}

// Reading ----------------------------------------------------------------------------------------

SegmentReader::SegmentReader(const Segment& segment) {
  if (!std::filesystem::exists(segment.path())) {
    throw db::Error(kNotADatabase, segment.path() + " is gone");
  }
  connection_ = open(segment);
  connection_->beginSnapshot();
  if (!hasTables(*connection_)) throw db::Error(kNotADatabase, segment.path() + " is empty");
  connection_->query(kReadAbout, {}, [&](const db::Row& row) {
    isOfThisRelease_ = row.integer(0) == kFormat;
    if (!isOfThisRelease_) return;
    boot_ = row.text(1);
    created_ = row.time(2);
    blockLines_ = row.integer(3);
  });
}

Extent SegmentReader::extent() const {
  Extent extent;
  extent.created = created_;
  connection_->query(kExtent, {}, [&](const db::Row& row) {
    extent.lines = row.integer(0);
    extent.oldest = row.time(1);
    extent.newest = row.time(2);
  });
  return extent;
}

std::vector<RecordBlock> SegmentReader::blocks(RecordKind kind, const WantedTerms& terms, Time from,
                                               Time to) const {
  std::vector<RecordBlock> found;
  const auto take = [&](const db::Row& row) {
    const auto id = row.integer(0);
    found.push_back({id, id & kNumberMask, row.time(1), row.time(2)});
  };
  const bool byMarks = !terms.marks.empty();
  const auto packed = byMarks ? marked(kind, terms) : std::vector<std::int64_t>{};
  if (byMarks && packed.empty()) {
    connection_->query(kLooseBlocks, {kind, from, to}, take);
    return found;
  }
  if (terms.words.empty()) {
    connection_->query(kAllBlocks, {kind, from, to}, take);
  } else {
    connection_->query(kBlocksByTerm, {kind, from, to, terms.words}, take);
  }
  if (!byMarks) return found;
  std::vector<std::int64_t> loose;
  connection_->query(kLooseBlocks, {kind, from, to},
                     [&](const db::Row& row) { loose.push_back(row.integer(0)); });
  std::sort(loose.begin(), loose.end());
  std::erase_if(found, [&](const RecordBlock& block) {
    return !std::binary_search(packed.begin(), packed.end(), block.id) &&
           !std::binary_search(loose.begin(), loose.end(), block.id);
  });
  return found;
}

std::vector<std::int64_t> SegmentReader::marked(RecordKind kind, const WantedTerms& terms) const {
  // By part, so that each is read once, and within it by entry.
  auto marks = terms.marks;
  std::sort(marks.begin(), marks.end());
  marks.erase(std::unique(marks.begin(), marks.end()), marks.end());
  std::map<std::int64_t, std::size_t> hits;  // how many of the marks a block has
  for (std::size_t at = 0; at < marks.size();) {
    const auto part = partOf(marks[at]);
    std::vector<std::uint32_t> wanted;
    for (; at < marks.size() && partOf(marks[at]) == part; ++at) {
      wanted.push_back(entryOf(marks[at], 0));
    }
    const auto read = [&](const db::Row& row) {
      const auto first = row.integer(0) - markId(part, 0);
      const auto entries = row.text(1);
      for (std::size_t i = 0; i + sizeof(std::uint32_t) <= entries.size();
           i += sizeof(std::uint32_t)) {
        std::uint32_t entry;
        std::memcpy(&entry, entries.data() + i, sizeof entry);
        const auto place = entry % kMostTogether;
        for (const auto want : wanted) {
          if (entry - place != want) continue;
          ++hits[first + static_cast<std::int64_t>(place) * blockLines_];
        }
      }
    };
    connection_->query(kReadMarks,
                       {markId(part, idOf(kind, 0)), markId(part, idOf(kind, kNumberMask))}, read);
  }
  const auto least = terms.anyMark ? 1 : marks.size();
  std::vector<std::int64_t> blocks;
  for (const auto& [block, count] : hits) {
    if (count >= least) blocks.push_back(block);
  }
  return blocks;
}

std::string SegmentReader::lines(const RecordBlock& block) const {
  std::string text;
  connection_->query(kReadBlock, {block.id}, [&](const db::Row& row) {
    try {
      text = row.integer(0) == 0
                 ? std::string(row.text(2))
                 : unsqueezed(row.text(2), static_cast<std::size_t>(row.integer(1)));
    } catch (const std::runtime_error& damaged) {
      throw db::Error(kCorrupt, damaged.what());
    }
  });
  return text;
}

}  // namespace tipflow::console
