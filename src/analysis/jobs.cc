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
constexpr std::int64_t kTipsAtOnceSqlite = 20'000;
constexpr std::int64_t kTipsAtOnceLeast = 100'000;
constexpr std::int64_t kTipsAtOnceMost = 2'000'000;
// A chunk that took less time may be larger, one that took more is too large.
constexpr Duration kChunkShort{1'500'000};
constexpr Duration kChunkLong{6'000'000};

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

ChunkSize chunkSize(const CatchUpLimits& limits, db::Dialect dialect) {
  if (limits.tipsAtOnce > 0) return {limits.tipsAtOnce, limits.tipsAtOnce};
  if (dialect == db::Dialect::sqlite) return {kTipsAtOnceSqlite, kTipsAtOnceSqlite};
  return {kTipsAtOnceLeast, kTipsAtOnceMost};
}

Duration durationOf(SteadyClock::duration time) {
  return std::chrono::duration_cast<Duration>(time);
}

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
  if (time < kChunkShort) tips_ = std::min(tips_ * 2, most_);
  if (time > kChunkLong) tips_ = std::max(tips_ / 2, least_);
}

std::vector<store::LaneSpan> nextChunk(const store::LaneMarks& progress,
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
  std::vector<store::LaneSpan> chunk;
  auto lanes = static_cast<std::int64_t>(behind.size());
  for (auto span : behind) {
    const auto tips = std::min(span.tips(), most / lanes--);
    most -= tips;
    span.to = LaneSeq{span.after.value + tips};
    if (tips > 0) chunk.push_back(span);
  }
  return chunk;
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
  if (!reach(work, cutoff)) return false;
  const Time until = store::completeUntil(work.connection(), cutoff);
  work.write([&](db::Connection& c) {
    if (!store::holdState(c).clearing) store::setAsOf(c, until);
  });
  return true;
}

bool CatchUp::reach(Work& work, const store::Cutoff& cutoff) const {
  auto size = chunkSize(limits_, work.connection().dialect());
  const auto end = SteadyClock::now() + limits_.longest;
  for (;;) {
    const auto chunk = nextChunk(store::progress(work.connection()), cutoff.lanes, size.tips());
    if (chunk.empty()) return true;
    const auto begun = SteadyClock::now();
    if (work.shouldStop() || begun >= end) return false;
    try {
      addChunk(work, chunk, cutoff.readAt);
      size.took(durationOf(SteadyClock::now() - begun));
    } catch (const store::Outpaced&) {
      continue;  // look again where it stands
    }
  }
}

void CatchUp::addChunk(Work& work, const std::vector<store::LaneSpan>& chunk, Time readAt) const {
  // The rows never change: they are read before anything is held.
  Gathering gathering(dayOfHour(businessTime_));
  std::vector<Fen> amounts;
  for (const auto& span : chunk) {
    amounts.push_back(store::gather(work.connection(), span, gathering));
  }
  work.write([&](db::Connection& c) {
    const auto state = store::holdState(c);
    if (state.clearing || state.zone != businessTime_.zone()) {
      throw std::runtime_error("another node has begun to add the sums up anew");
    }
    for (std::size_t i = 0; i < chunk.size(); ++i) store::advance(c, chunk[i], amounts[i], readAt);
    store::add(c, gathering);
  });
  work.add(gathering.tips());
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
  CatchUpLimits patient;
  patient.longest = Duration{3'600 * kUsPerSecond};  // the job's own limit ends it
  const auto toCutoff = std::make_shared<const CatchUp>(businessTime, patient);
  return {{kHourlyJob, "analysis", intervals.hourly, &db2,
           [catchUp](schedule::Run& run) {
             RunWork work(run);
             catchUp->run(work);
           }},
          {kRoundJob, "analysis", intervals.round, &db2, [toCutoff](schedule::Run& run) {
             RunWork work(run);
             Rounds(*toCutoff).run(work);
           }}};
}

}  // namespace tipflow::analysis
