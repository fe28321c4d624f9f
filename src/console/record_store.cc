#include "console/record_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <limits>

#include "platform/log.h"

namespace tipflow::console {
namespace {

constexpr int kShareOfSize = 8;
constexpr Duration kRetainEvery{60 * kUsPerSecond};
constexpr std::size_t kDigits = 8;
constexpr std::string_view kEnding = ".sqlite";

/// The number in a file's name; 0 for a file that is none of ours.
std::int64_t numberIn(const std::string& name) {
  if (name.size() != kDigits + kEnding.size() || !name.ends_with(kEnding)) return 0;
  std::int64_t number = 0;
  for (std::size_t i = 0; i < kDigits; ++i) {
    if (name[i] < '0' || name[i] > '9') return 0;
    number = number * 10 + (name[i] - '0');
  }
  return number;
}

}  // namespace

RecordStore::RecordStore(RecordStoreOptions options, const Clock& clock)
    : options_(std::move(options)), clock_(clock) {}

RecordStore::~RecordStore() = default;

// Files ------------------------------------------------------------------------------------------

void RecordStore::open() {
  const std::lock_guard writing(writing_);
  std::filesystem::create_directories(options_.directory);
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(options_.directory)) {
    const auto name = entry.path().filename().string();
    if (numberIn(name) > 0) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  for (const auto& name : names) list(name);
  retain();
}

void RecordStore::list(const std::string& name) {
  const auto number = numberIn(name);
  lastNumber_ = std::max(lastNumber_, number);
  const auto segment = std::make_shared<Segment>(options_.directory, number);
  try {
    const SegmentReader reader(*segment);
    if (!reader.isOfThisRelease()) {
      log::warn("console", "a file of log lines is of another release: it is left alone",
                log::field("file", segment->path()));
      return;
    }
    {
      const std::lock_guard lock(mutex_);
      listed_.push_back({segment, reader.extent(), segment->bytes()});
    }
    // Later files are newer; after a power cut nothing is added to what may be damaged.
    active_ = reader.boot() == bootId() ? segment : nullptr;
  } catch (const db::Error& error) {
    if (!isDamage(*segment, error)) throw;
    setAside(segment, error);
  }
}

void RecordStore::begin() {
  auto segment = std::make_shared<Segment>(options_.directory, ++lastNumber_);
  try {
    writer_ = std::make_unique<SegmentWriter>(*segment, options_.blocks, clock_.now());
  } catch (...) {
    segment->drop();
    throw;
  }
  active_ = std::move(segment);
  const std::lock_guard lock(mutex_);
  listed_.push_back({active_, writer_->extent(), 0});
}

void RecordStore::finish() {
  writer_->close();
  publish();
  writer_.reset();
  active_.reset();
  retain();
}

SegmentWriter& RecordStore::writer() {
  if (active_ && !isListed(*active_)) {  // a reader found it damaged
    writer_.reset();
    active_.reset();
  }
  if (active_ && !writer_) {
    writer_ = std::make_unique<SegmentWriter>(*active_, options_.blocks, clock_.now());
  }
  if (writer_) {
    const auto& extent = writer_->extent();
    if (extent.lines >= options_.segmentLines ||
        clock_.now() - extent.created >= options_.segmentAge ||
        active_->bytes() >= options_.mostBytes / kShareOfSize) {
      finish();
    }
  }
  if (!writer_) begin();
  return *writer_;
}

void RecordStore::publish() {
  const auto bytes = active_->bytes();
  const std::lock_guard lock(mutex_);
  if (listed_.empty() || listed_.back().segment != active_) return;
  listed_.back().extent = writer_->extent();
  listed_.back().bytes = bytes;
}

void RecordStore::retain() {
  const auto now = clock_.now();
  retainedAt_ = now;
  // The file that is written may grow by as much until this is looked at again.
  const auto room = options_.mostBytes - options_.mostBytes / kShareOfSize;
  const std::lock_guard lock(mutex_);
  std::int64_t sum = 0;
  for (const auto& each : listed_) sum += each.bytes;
  std::erase_if(listed_, [&](const Listed& each) {
    // A line from the future, by the clock of its node, does not hold up the others.
    const Time newest = std::min(each.extent.newest, each.extent.created + options_.segmentAge);
    const bool tooOld = newest < now - options_.keepFor;
    const bool written = writer_ && each.segment == active_;
    if (written || (!tooOld && sum <= room)) return false;
    sum -= each.bytes;
    each.segment->drop();
    return true;
  });
}

void RecordStore::setAside(const std::shared_ptr<Segment>& segment, const db::Error& error) {
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(listed_, [&](const Listed& each) { return each.segment == segment; });
    if (!std::filesystem::exists(segment->path())) return;  // another found it first
    segment->moveTo(options_.directory + "/damaged.sqlite");
  }
  log::error("console", "a file of log lines is damaged: its lines are lost, it is set aside",
             log::field("file", segment->path()),
             log::field("movedTo", std::string_view("damaged.sqlite")),
             log::field("error", std::string_view(error.what())));
}

bool RecordStore::isListed(const Segment& segment) const {
  const std::lock_guard lock(mutex_);
  return std::any_of(listed_.begin(), listed_.end(),
                     [&](const Listed& each) { return each.segment.get() == &segment; });
}

// Lines ------------------------------------------------------------------------------------------

void RecordStore::keep(std::string_view lines) {
  const std::lock_guard writing(writing_);
  try {
    add(lines);
  } catch (const db::Error& error) {
    if (!active_ || !isDamage(*active_, error)) throw;
    setAside(active_, error);
    add(lines);
  }
  publish();
  if (clock_.now() - retainedAt_ >= kRetainEvery) retain();
}

void RecordStore::add(std::string_view lines) {
  try {
    writer().append(lines, clock_.now());
  } catch (...) {
    writer_.reset();  // opened again for the next batch, as what is on disk says
    throw;
  }
}

Found RecordStore::find(const Search& wanted) {
  const auto segments = searched();
  return search(segments, wanted,
                [this](const auto& segment, const db::Error& error) { setAside(segment, error); });
}

std::vector<SearchedSegment> RecordStore::searched() const {
  std::vector<SearchedSegment> segments;
  const std::lock_guard lock(mutex_);
  for (const auto& each : listed_) {
    if (each.extent.lines == 0) continue;
    segments.push_back({each.segment, each.extent.oldest, each.extent.newest});
  }
  // What is added meanwhile goes into the last one.
  if (!segments.empty()) {
    segments.back().newest = Time{std::numeric_limits<std::int64_t>::max()};
    segments.back().oldest = Time{};
  }
  std::sort(segments.begin(), segments.end(),
            [](const auto& a, const auto& b) { return a.newest > b.newest; });
  return segments;
}

std::int64_t RecordStore::lines() const {
  const std::lock_guard lock(mutex_);
  std::int64_t sum = 0;
  for (const auto& each : listed_) sum += each.extent.lines;
  return sum;
}

std::int64_t RecordStore::bytes() const {
  const std::lock_guard lock(mutex_);
  std::int64_t sum = 0;
  for (const auto& each : listed_) sum += each.bytes;
  return sum;
}

std::size_t RecordStore::segments() const {
  const std::lock_guard lock(mutex_);
  return listed_.size();
}

}  // namespace tipflow::console
