#include "analysis/jobs.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <unordered_map>

#include "analysis/portrait_store.h"
#include "platform/log.h"

namespace tipflow::analysis {
namespace {

using SteadyClock = std::chrono::steady_clock;

// SQLite has one writer: settlement waits as long as a chunk is written.
constexpr std::int64_t kSumsAtOnceSqlite = 20'000;
constexpr std::int64_t kSumsAtOnceLeast = 100'000;
constexpr std::int64_t kSumsAtOnceMost = 500'000;
// What was written in less time may be more, what took more is too much: who else wants to add to
// the sums gives up after 5 s.
constexpr Duration kWritingShort{2'000'000};
constexpr Duration kWritingLong{4'000'000};
// However few sums they fall into, rows are read for so long at most before some are counted.
constexpr std::chrono::seconds kReadingMost{10};
// The rows of a chunk are read in parts of so many, as it may turn out that each is a sum of its
// own.
constexpr std::int64_t kSlices = 4;

class RunWork final : public Work {
 public:
  explicit RunWork(schedule::Run& run) : run_(run) {}
  db::Connection& connection() override { return run_.connection(); }
  void write(const std::function<void(db::Connection&)>& step) override { run_.write(step); }
  bool shouldStop() override { return run_.shouldStop(); }
  void add(std::int64_t items) override { run_.add(items); }

 private:
  schedule::Run& run_;
};

/// `BusinessTime` answers by asking the C library: once an hour of tips, not once a tip.
std::function<std::int64_t(Time)> dayOfHour(const BusinessTime& businessTime) {
  auto known = std::make_shared<std::unordered_map<std::int64_t, std::int64_t>>();
  return [&businessTime, known](Time hour) {
    const auto found = known->find(hour.us);
    if (found != known->end()) return found->second;
    return known->emplace(hour.us, businessTime.localHour(hour).day).first->second;
  };
}

std::int64_t tipsUpTo(const store::LaneMarks& marks) {
  std::int64_t tips = 0;
  for (const auto& [_, seq] : marks) tips += seq.value;  // lanes have no holes
  return tips;
}

}  // namespace

void ChunkSize::took(Duration time) {
  if (time < kWritingShort) sums_ = std::min(sums_ * 2, most_);
  if (time > kWritingLong) sums_ = std::max(sums_ / 2, least_);
}

/// Rows of the ledger that are counted together: what they come to, and of which lanes they are.
struct CatchUp::Chunk {
  struct Part {
    store::LaneSpan span;
    Fen amount;
  };
  Gathering gathering;
  std::map<LaneId, Part> parts;
};

std::vector<store::LaneSpan> nextSlice(const store::LaneMarks& progress,
                                       const store::LaneMarks& cutoff, std::int64_t most) {
  std::vector<store::LaneSpan> behind;
  for (const auto& [lane, to] : cutoff) {
    const auto mark = progress.find(lane);
    const LaneSeq after = mark == progress.end() ? LaneSeq{0} : mark->second;
    if (after < to) behind.push_back({lane, after, to});
  }
  // The shortest first: what they leave of their share is for the others.
  std::stable_sort(
      behind.begin(), behind.end(),
      [](const store::LaneSpan& a, const store::LaneSpan& b) { return a.tips() < b.tips(); });
  std::vector<store::LaneSpan> slice;
  auto lanes = static_cast<std::int64_t>(behind.size());
  for (auto span : behind) {
    const auto tips = std::min(span.tips(), most / lanes--);
    most -= tips;
    span.to = LaneSeq{span.after.value + tips};
    if (tips > 0) slice.push_back(span);
  }
  return slice;
}

bool CatchUp::prepare(Work& work) const {
  const auto& zone = businessTime_.zone();
  auto state = store::state(work.connection());
  if (state.zone.empty()) {
    work.write([&](db::Connection& c) { store::seedState(c, zone); });
    state = store::state(work.connection());
  }
  if (state.zone != zone) {
    log::warn("analysis", "days were cut by another time zone: all sums are added up anew",
              log::field("was", state.zone), log::field("is", zone));
    work.write([&](db::Connection& c) {
      store::holdState(c);
      store::beginClearing(c, zone);
    });
    state.clearing = true;
  }
  for (bool more = state.clearing; more;) {
    if (work.shouldStop()) return false;
    work.write([&](db::Connection& c) {
      store::holdState(c);
      more = store::clearSome(c);
    });
  }
  return true;
}

bool CatchUp::run(Work& work) const {
  if (!prepare(work)) return false;
  const auto cutoff = store::cursors(work.connection());
  if (!reach(work, cutoff, SteadyClock::now() + limits_.longest)) return false;
  const Time until = store::completeUntil(work.connection(), cutoff);
  work.write([&](db::Connection& c) {
    if (!store::holdState(c).clearing) store::setAsOf(c, until);
  });
  return true;
}

bool CatchUp::reach(Work& work, const store::Cutoff& cutoff) const {
  return reach(work, cutoff, Deadline::max());  // the job's own limit ends it
}

bool CatchUp::reach(Work& work, const store::Cutoff& cutoff, Deadline end) const {
  auto size = chunkSize(work.connection().dialect());
  for (;;) {
    const std::lock_guard lock(turn_);
    if (nextSlice(store::progress(work.connection()), cutoff.lanes, 1).empty()) return true;
    if (work.shouldStop() || SteadyClock::now() >= end) return false;
    const auto chunk = gather(work, cutoff.lanes, size.sums());
    const auto begun = SteadyClock::now();
    try {
      add(work, chunk, cutoff.readAt);
      size.took(std::chrono::duration_cast<Duration>(SteadyClock::now() - begun));
    } catch (const store::Outpaced&) {
      continue;  // look again where it stands
    }
  }
}

ChunkSize CatchUp::chunkSize(db::Dialect dialect) const {
  if (limits_.sumsAtOnce > 0) return {limits_.sumsAtOnce, limits_.sumsAtOnce};
  if (dialect == db::Dialect::sqlite) return {kSumsAtOnceSqlite, kSumsAtOnceSqlite};
  return {kSumsAtOnceLeast, kSumsAtOnceMost};
}

// The rows never change: they are read before anything is held.
CatchUp::Chunk CatchUp::gather(Work& work, const store::LaneMarks& cutoff,
                               std::int64_t sums) const {
  Chunk chunk{Gathering(dayOfHour(businessTime_)), {}};
  const auto end = SteadyClock::now() + kReadingMost;
  auto marks = store::progress(work.connection());
  do {
    const auto slice = nextSlice(marks, cutoff, std::max<std::int64_t>(1, sums / kSlices));
    if (slice.empty()) break;
    for (const auto& span : slice) {
      auto& part = chunk.parts.try_emplace(span.lane, Chunk::Part{span, {}}).first->second;
      part.amount += store::gather(work.connection(), span, chunk.gathering);
      part.span.to = span.to;
      marks[span.lane] = span.to;
    }
  } while (chunk.gathering.sums() < sums && SteadyClock::now() < end && !work.shouldStop());
  return chunk;
}

void CatchUp::add(Work& work, const Chunk& chunk, Time readAt) const {
  work.write([&](db::Connection& c) {
    const auto state = store::holdState(c);
    if (state.clearing || state.zone != businessTime_.zone()) {
      throw std::runtime_error("another node has begun to add the sums up anew");
    }
    for (const auto& [_, part] : chunk.parts) store::advance(c, part.span, part.amount, readAt);
    store::add(c, chunk.gathering);
  });
  work.add(chunk.gathering.tips());
}

bool Rounds::run(Work& work) const {
  if (!catchUp_.prepare(work)) return false;
  const auto dropOld = [&] {
    bool more = true;
    while (more && !work.shouldStop()) {
      work.write([&](db::Connection& c) { more = store::dropSomePortraits(c); });
    }
  };
  dropOld();  // what rounds that broke off have left
  const auto cutoff = store::cursors(work.connection());
  store::RoundEnd end;
  work.write([&](db::Connection& c) { end.round = store::beginRound(c, cutoff); });
  if (!catchUp_.reach(work, cutoff)) return false;
  end.cutoffAt = store::completeUntil(work.connection(), cutoff);
  end.tips = tipsUpTo(cutoff.lanes);

  auto totals = db::inSnapshot(work.connection(),
                               [&](db::Connection& c) { return store::totalsAt(c, cutoff.lanes); });
  if (!totals) throw std::runtime_error("another node has begun to add the sums up anew");
  const auto ranked = rankAll(std::move(*totals));
  end.viewers = static_cast<std::int64_t>(ranked.size());
  end.tiers = tierSums(ranked);

  for (std::span<const Ranked> rest(ranked); !rest.empty();) {
    if (work.shouldStop()) return false;
    const auto part = rest.first(std::min(rest.size(), portraitsAtOnce_));
    work.write([&](db::Connection& c) { store::writePortraits(c, end.round, part); });
    rest = rest.subspan(part.size());
  }
  work.write([&](db::Connection& c) { store::publish(c, end); });
  work.add(end.viewers);
  dropOld();
  return true;
}

std::vector<schedule::JobSpec> jobs(db::Database& db2, const BusinessTime& businessTime,
                                    JobIntervals intervals) {
  const auto catchUp = std::make_shared<const CatchUp>(businessTime);
  return {{kHourlyJob, "analysis", intervals.hourly, &db2,
           [catchUp](schedule::Run& run) {
             RunWork work(run);
             catchUp->run(work);
           }},
          {kRoundJob, "analysis", intervals.round, &db2, [catchUp](schedule::Run& run) {
             RunWork work(run);
             Rounds(*catchUp).run(work);
           }}};
}

}  // namespace tipflow::analysis
