#include "platform/conditions.h"

#include <fmt/format.h>

#include <algorithm>

namespace tipflow {
namespace {

// A job is late when a whole run is missing, and a little longer: its interval begins where its
// last run ended, and that may have taken its time.
constexpr Duration kJobGrace{30 * kUsPerSecond};

std::int64_t seconds(Duration duration) { return duration.count() / kUsPerSecond; }
std::int64_t days(Duration duration) { return duration.count() / kUsPerDay; }
Duration age(Time now, std::optional<Time> since) {
  return since ? std::max(Duration{0}, now - *since) : Duration{0};
}

class Judge {
 public:
  Judge(const Sight& sight, const AlertLimits& limits) : sight_(sight), limits_(limits) {}

  std::vector<Finding> all() && {
    sync();
    requests();
    disk();
    log();
    for (const auto& database : sight_.databases) look(database);
    for (const auto& key : sight_.keys) look(key);
    withdrawals();
    for (const auto& job : sight_.jobs) look(job);
    books();
    return std::move(findings_);
  }

 private:
  struct Is {
    bool bad = false;
    bool atOnce = false;
  };
  void add(const char* rule, const std::string& part, Severity severity, Is is,
           std::string detail) {
    findings_.push_back({rule, part.empty() ? sight_.node : sight_.node + " " + part, severity,
                         is.bad ? Verdict::bad : Verdict::fine, std::move(detail), is.atOnce});
  }

  void sync() {
    if (!sight_.sync) return;
    const auto lag = age(sight_.at, sight_.sync->oldest);
    add("sync_lag", "", Severity::critical, {lag > limits_.syncLag},
        fmt::format("{} tips wait to be settled, the oldest for {} s; at most {} s are allowed",
                    sight_.sync->tips, seconds(lag), seconds(limits_.syncLag)));
  }
  void requests() {
    const auto& seen = sight_.requests;
    const bool bad = seen.answered >= limits_.errorFloor && seen.failed > 0 &&
                     seen.failed * 100 >= limits_.errorPercent * seen.answered;
    add("error_rate", "", Severity::critical, {bad},
        fmt::format("{} of {} requests of the last minute were answered 5xx; {} % are too many",
                    seen.failed, seen.answered, limits_.errorPercent));
  }
  void disk() {
    if (!sight_.disk || limits_.diskFreePercent == 0) return;
    constexpr std::int64_t kMegabyte = 1024 * 1024;
    const auto free = static_cast<double>(sight_.disk->freeBytes);
    const auto least = static_cast<double>(sight_.disk->sizeBytes) *
                       static_cast<double>(limits_.diskFreePercent) / 100;
    add("disk_free", "", Severity::critical, {free < least},
        fmt::format("{} of {} MiB are free where the data directory is; at least {} % are needed",
                    sight_.disk->freeBytes / kMegabyte, sight_.disk->sizeBytes / kMegabyte,
                    limits_.diskFreePercent));
  }
  void log() {
    add("log_dropped", "", Severity::warning, {sight_.droppedLines > 0, true},
        fmt::format("{} log lines of the last minute were not written", sight_.droppedLines));
  }
  void look(const DatabaseSight& database) {
    add("database_away", database.name, Severity::critical, {database.awaySince.has_value()},
        fmt::format("{} has not answered for {} s", database.name,
                    seconds(age(sight_.at, database.awaySince))));
    add("durability_weakened", database.name, Severity::critical, {!database.weak.empty(), true},
        fmt::format("acknowledged commits of {} can be lost: {}", database.name, database.weak));
  }
  void look(const KeySight& key) {
    const auto old = age(sight_.at, key.madeAt);
    add("key_age", key.name, Severity::warning, {old > limits_.keyAge, true},
        fmt::format("{} was made {} days ago; it is to be renewed after {}", key.name, days(old),
                    days(limits_.keyAge)));
  }
  void withdrawals() {
    if (!sight_.withdrawals) return;
    const auto& seen = *sight_.withdrawals;
    const auto waits = age(sight_.at, seen.oldest);
    add("withdrawal_pending", "", Severity::warning, {waits > limits_.withdrawalPending},
        fmt::format("{} withdrawals are pending, the oldest for {} s; at most {} s are allowed",
                    seen.count, seconds(waits), seconds(limits_.withdrawalPending)));
    if (!seen.known) findings_.back().verdict = Verdict::unknown;
  }
  void look(const JobSight& job) {
    add("job_failed", job.name, Severity::warning, {job.failuresInRow > 0},
        fmt::format("{} failed {} times in a row: {}", job.name, job.failuresInRow, job.lastError));
    const auto silent = age(sight_.at, job.lastSeen);
    add("job_late", job.name, Severity::warning, {silent > 2 * job.every + kJobGrace},
        fmt::format("{} ended last {} s ago and runs every {} s", job.name, seconds(silent),
                    seconds(job.every)));
  }
  void books() {
    if (!sight_.books) return;
    const auto& seen = *sight_.books;
    const bool bad = seen.differenceTips != 0 || seen.differenceFen != 0 || !seen.broken.empty();
    add("reconciliation_difference", "", Severity::critical, {bad, true},
        fmt::format("tips and ledger differ by {} tips and {} fen; broken: {}", seen.differenceTips,
                    seen.differenceFen, seen.broken.empty() ? "none" : seen.broken));
    if (!seen.known) findings_.back().verdict = Verdict::unknown;
  }

  const Sight& sight_;
  const AlertLimits& limits_;
  std::vector<Finding> findings_;
};

}  // namespace

void Growth::add(Time at, std::int64_t count) {
  const bool anew = !looks_.empty() && (count < looks_.back().second || at < looks_.back().first);
  if (anew) looks_.clear();
  looks_.emplace_back(at, count);
  // The last one from before the window stays: what came since then is what counts.
  while (looks_.size() > 2 && at - looks_[1].first >= length_) looks_.pop_front();
}

std::int64_t Growth::within() const {
  return looks_.empty() ? 0 : looks_.back().second - looks_.front().second;
}

std::vector<Finding> judge(const Sight& sight, const AlertLimits& limits) {
  return Judge(sight, limits).all();
}

std::vector<Condition> Conditions::look(Time now, const std::vector<Finding>& findings,
                                        const AlertLimits& limits) {
  std::map<std::pair<std::string, std::string>, Watched> seen;
  std::vector<Condition> changed;
  for (const auto& finding : findings) {
    const std::pair key{finding.rule, finding.subject};
    auto known = watched_.extract(key);
    auto& watched = known ? seen.insert(std::move(known)).position->second : seen[key];
    if (!advance(watched, finding, now, limits)) continue;
    changed.push_back(watched.condition);
    changed.back().state = watched.raised ? ConditionState::raised : ConditionState::over;
    changed.back().since = now;
  }
  watched_ = std::move(seen);
  return changed;
}

// True when it was raised or ended now.
bool Conditions::advance(Watched& watched, const Finding& finding, Time now,
                         const AlertLimits& limits) {
  auto& condition = watched.condition;
  condition.rule = finding.rule;
  condition.subject = finding.subject;
  condition.severity = finding.severity;
  if (finding.verdict == Verdict::unknown) return false;
  const bool bad = finding.verdict == Verdict::bad;
  if (bad) condition.detail = finding.detail;
  auto& since = bad ? watched.badSince : watched.fineSince;
  (bad ? watched.fineSince : watched.badSince).reset();
  since = since ? std::min(*since, now) : now;  // a clock that went back starts it again
  const auto held = now - *since;
  const bool sure = bad ? finding.atOnce || held >= limits.raiseAfter : held >= limits.resolveAfter;
  const bool turns = sure && watched.raised != bad;
  if (turns || (sure && watched.turned == Time{})) watched.turned = now;
  if (turns) watched.raised = bad;
  if (sure) {
    settle(watched);
  } else if (bad && condition.state == ConditionState::over) {
    condition.state = ConditionState::settling;
  }
  return turns;
}

// What those who keep alerts are told follows what this node sees, once they know of it.
void Conditions::settle(Watched& watched) {
  auto& condition = watched.condition;
  const auto state = watched.raised ? ConditionState::raised : ConditionState::over;
  if (condition.state == state) return;
  if (condition.state == ConditionState::raised && !watched.told) return;
  condition.state = state;
  condition.since = watched.turned;
  watched.told = false;
}

std::vector<Condition> Conditions::all() const {
  std::vector<Condition> all;
  for (const auto& [key, watched] : watched_) all.push_back(watched.condition);
  return all;
}

void Conditions::told(const std::vector<Condition>& taken) {
  for (const auto& condition : taken) {
    if (condition.state != ConditionState::raised) continue;
    const auto found = watched_.find({condition.rule, condition.subject});
    if (found != watched_.end()) found->second.told = true;
  }
}

}  // namespace tipflow
