#include "console/record_search.h"

#include <algorithm>
#include <queue>

namespace tipflow::console {
namespace {

using std::chrono::steady_clock;

// The number of a line: its segment's, then its own within the segment.
constexpr int kSegmentShift = 32;

struct Candidate {
  RecordBlock block;
  std::size_t segment;  // index among the opened ones

  // Of two with equally new lines either may come first.
  friend bool operator<(const Candidate& a, const Candidate& b) {
    return a.block.newest < b.block.newest;
  }
};

class NewestFirst {
 public:
  NewestFirst(std::span<const SearchedSegment> segments, const Search& wanted,
              const OnDamage& onDamage)
      : segments_(segments),
        wanted_(wanted),
        onDamage_(onDamage),
        terms_(wanted.filter.terms()),
        needles_(wanted.filter.needles()),
        readers_(segments.size()) {
    const auto& before = wanted.before;
    // Before the first number of an instant means before the instant.
    if (before.at < to_) to_ = before.number == 0 ? before.at : Time{before.at.us + 1};
  }

  Found run() {
    for (;;) {
      const auto next = newestAhead();
      if (!next || isFull(*next)) return page();
      if (isOver(*next)) return stoppedAt(*next);
      if (mustOpen()) {
        open(opened_++);
      } else {
        const auto candidate = candidates_.top();
        candidates_.pop();
        look(candidate);
      }
    }
  }

 private:
  // The next segment can hold newer lines than every block known so far.
  [[nodiscard]] bool mustOpen() const {
    return opened_ < segments_.size() &&
           (candidates_.empty() || segments_[opened_].newest >= candidates_.top().block.newest);
  }
  // No line that was not looked at is newer.
  [[nodiscard]] std::optional<Time> newestAhead() const {
    if (mustOpen()) return std::min(segments_[opened_].newest, Time{to_.us - 1});
    if (!candidates_.empty()) return std::min(candidates_.top().block.newest, Time{to_.us - 1});
    return std::nullopt;
  }
  // One more than the page is kept, to know whether there is a next one.
  [[nodiscard]] bool isFull(Time next) const {
    return found_.size() > wanted_.limit && found_.back().place.at > next;
  }
  // Every page comes further than the one before, however short the time.
  [[nodiscard]] bool isOver(Time next) const {
    return steady_clock::now() >= wanted_.until && next < Time{to_.us - 1};
  }

  void open(std::size_t place) {
    const auto& segment = segments_[place].segment;
    if (segments_[place].newest < wanted_.from || segments_[place].oldest >= to_) return;
    try {
      readers_[place] = std::make_unique<SegmentReader>(*segment);
      for (const auto& block :
           readers_[place]->blocks(wanted_.filter.kind(), terms_, wanted_.from, to_)) {
        candidates_.push({block, place});
      }
    } catch (const db::Error& error) {
      if (!isDamage(*segment, error)) throw;
      onDamage_(segment, error);
    }
  }

  void look(const Candidate& candidate) {
    const auto& segment = segments_[candidate.segment].segment;
    std::string text;
    try {
      text = readers_[candidate.segment]->lines(candidate.block);
    } catch (const db::Error& error) {
      if (!isDamage(*segment, error)) throw;
      onDamage_(segment, error);
      return;
    }
    const auto known = static_cast<std::ptrdiff_t>(found_.size());
    collect(text, (segment->number() << kSegmentShift) + candidate.block.first);
    const auto newer = [](const KeptLine& a, const KeptLine& b) { return a.place > b.place; };
    std::sort(found_.begin() + known, found_.end(), newer);
    std::inplace_merge(found_.begin(), found_.begin() + known, found_.end(), newer);
    if (found_.size() <= wanted_.limit) return;
    found_.resize(wanted_.limit + 1);
    floor_ = found_.back().place;
  }

  void collect(std::string_view text, std::int64_t number) {
    std::string lower;
    if (!needles_.empty()) {
      lower.resize(text.size());
      std::transform(text.begin(), text.end(), lower.begin(), [](char c) { return lowered(c); });
    }
    for (std::size_t at = 0; at < text.size(); ++number) {
      const auto end = std::min(text.find('\n', at), text.size());
      const auto line = text.substr(at, end - at);
      if (mayFit(std::string_view(lower).substr(std::min(at, lower.size()), end - at))) {
        take(line, number);
      }
      at = end + 1;
    }
  }
  [[nodiscard]] bool mayFit(std::string_view lower) const {
    return std::all_of(needles_.begin(), needles_.end(), [&](const std::string& needle) {
      return lower.find(needle) != std::string_view::npos;
    });
  }
  void take(std::string_view line, std::int64_t number) {
    const auto record = readRecord(line);
    if (!record) return;
    const Position place{record->at, number};
    if (place.at < wanted_.from || place.at >= wanted_.to || place >= wanted_.before) return;
    if (floor_ && place < *floor_) return;
    if (wanted_.filter.fits(*record)) found_.push_back({place, std::string(line)});
  }

  Found page() {
    Found found;
    const bool more = found_.size() > wanted_.limit;
    if (more) found_.pop_back();
    if (more) found.next = found_.back().place;
    found.lines = std::move(found_);
    return found;
  }

  // What is older than the newest line ahead may not be all there is of its age.
  Found stoppedAt(Time next) {
    while (!found_.empty() && found_.back().place.at <= next) found_.pop_back();
    if (found_.size() > wanted_.limit) return page();
    Found found;
    found.lines = std::move(found_);
    found.next = Position{Time{next.us + 1}, 0};
    found.searchedTo = Time{next.us + 1};
    return found;
  }

  std::span<const SearchedSegment> segments_;
  const Search& wanted_;
  const OnDamage& onDamage_;
  WantedTerms terms_;
  std::vector<std::string> needles_;
  Time to_ = wanted_.to;  // no line from here on is of interest
  std::vector<std::unique_ptr<SegmentReader>> readers_;
  std::size_t opened_ = 0;
  std::priority_queue<Candidate> candidates_;
  std::vector<KeptLine> found_;
  std::optional<Position> floor_;  // what is older has no place on the page
};

}  // namespace

Found search(std::span<const SearchedSegment> segments, const Search& wanted,
             const OnDamage& onDamage) {
  if (wanted.from >= wanted.to) return {};
  return NewestFirst(segments, wanted, onDamage).run();
}

}  // namespace tipflow::console
