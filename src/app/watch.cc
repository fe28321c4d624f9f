#include "app/watch.h"

#include <drogon/HttpAppFramework.h>
#include <sys/statvfs.h>

#include "platform/log.h"

namespace tipflow::app {
namespace {

constexpr Duration kMinute{60 * kUsPerSecond};
// A database that takes longer for an empty question counts as away.
constexpr Duration kAnswerTime{5 * kUsPerSecond};
// Comparing the books may take a hundredth of the time, whatever interval is configured.
constexpr int kReconcileShare = 100;
// One that failed is made again sooner, and may take more of the time.
constexpr int kReconcileAgainShare = 10;
constexpr Duration kFirstReconcile{10 * kUsPerSecond};

double seconds(Duration duration) {
  return static_cast<double>(duration.count()) / static_cast<double>(kUsPerSecond);
}

std::optional<DiskSight> diskOf(const std::string& directory) {
  struct statvfs disk{};
  if (statvfs(directory.c_str(), &disk) != 0) return std::nullopt;
  const auto unit = static_cast<std::int64_t>(disk.f_frsize);
  return DiskSight{static_cast<std::int64_t>(disk.f_bavail) * unit,
                   static_cast<std::int64_t>(disk.f_blocks) * unit};
}

void run(std::function<drogon::Task<>()> work) { drogon::async_run(std::move(work)); }

AlertLimits limitsOf(const Config& config) {
  AlertLimits limits;
  limits.syncLag = Duration{config.alertSyncLagSeconds * kUsPerSecond};
  limits.errorPercent = config.alertErrorPercent;
  limits.errorFloor = config.alertErrorRequests;
  limits.diskFreePercent = config.alertDiskFreePercent;
  limits.withdrawalPending = Duration{config.alertWithdrawalSeconds * kUsPerSecond};
  limits.keyAge = Duration{config.alertKeyAgeDays * kUsPerDay};
  limits.raiseAfter = Duration{config.alertRaiseSeconds * kUsPerSecond};
  limits.resolveAfter = Duration{config.alertResolveSeconds * kUsPerSecond};
  return limits;
}

}  // namespace

Watch::Watch(WatchedParts parts)
    : parts_(std::move(parts)), answered_(kMinute), failed_(kMinute), dropped_(kMinute) {
  for (auto* database : parts_.databases) asked_.push_back({database});
  use(parts_.config);
  addMetrics();
}

void Watch::use(const Config& config) {
  limits_ = limitsOf(config);
  reconcileEvery_ = Duration{config.alertReconcileSeconds * kUsPerSecond};
}

void Watch::start() {
  auto* loop = drogon::app().getLoop();
  loop->runEvery(static_cast<double>(parts_.config.alertLookSeconds), [this] { look(); });
  if (!parts_.reconciles) return;
  reconcileJob_ = &parts_.jobs.add("reconcile", reconcileEvery_);
  reconcileIn(std::min(reconcileEvery_, kFirstReconcile));
}

void Watch::look() {
  for (auto& asked : asked_) ask(asked);
  if (parts_.finance != nullptr) askWithdrawals();
  const Time now = parts_.clock.now();
  for (const auto& condition : conditions_.look(now, judge(sight(), limits_), limits_)) {
    const bool raised = condition.state == ConditionState::raised;
    log::line(raised ? log::Level::warn : log::Level::info, "platform", {},
              raised ? "condition raised" : "condition is over", log::field("rule", condition.rule),
              log::field("subject", condition.subject), log::field("detail", condition.detail));
  }
  if (parts_.sink == nullptr) {
    conditions_.told(conditions_.all());  // nobody else is there
  } else {
    report();
  }
}

Sight Watch::sight() {
  Sight sight;
  sight.at = parts_.clock.now();
  sight.node = parts_.node;
  if (parts_.sync) sight.sync = parts_.sync();
  const auto [answered, failed] = parts_.router.answered();
  answered_.add(sight.at, answered);
  failed_.add(sight.at, failed);
  dropped_.add(sight.at, log::dropped());
  sight.requests = {answered_.within(), failed_.within()};
  sight.droppedLines = dropped_.within();
  sight.disk = diskOf(parts_.config.dataDir);
  for (const auto& asked : asked_) {
    sight.databases.push_back(
        {asked.database->name(), asked.awaySince, parts_.durability.weaknessesOf(*asked.database)});
  }
  if (parts_.keys) sight.keys = parts_.keys();
  if (parts_.finance != nullptr) sight.withdrawals = withdrawals_;
  for (auto& job : parts_.jobs.states()) {
    sight.jobs.push_back({std::move(job.name), job.every, job.lastSeen, job.failuresInRow,
                          std::move(job.lastError)});
  }
  if (parts_.reconciles) sight.books = books_;
  return sight;
}

void Watch::ask(Asked& asked) {
  const Time now = parts_.clock.now();
  if (asked.asking) {
    if (!asked.awaySince && now - asked.since > kAnswerTime) asked.awaySince = asked.since;
    return;
  }
  asked.asking = true;
  asked.since = now;
  run([&asked]() -> drogon::Task<> {
    bool answers = true;
    try {
      co_await asked.database->read([](db::Connection& connection) {
        connection.query("SELECT 1", {}, [](const db::Row&) {});
        return true;
      });
    } catch (const std::exception&) {
      answers = false;
    }
    asked.asking = false;
    if (answers) {
      asked.awaySince.reset();
    } else if (!asked.awaySince) {
      asked.awaySince = asked.since;
    }
  });
}

void Watch::askWithdrawals() {
  if (std::exchange(askingWithdrawals_, true)) {
    withdrawals_.known = false;  // the last question has no answer yet
    return;
  }
  run([this]() -> drogon::Task<> {
    try {
      const auto sum = co_await parts_.finance->pending();
      withdrawals_ = {true, sum.count, sum.oldest};
    } catch (const std::exception&) {
      withdrawals_.known = false;
    }
    askingWithdrawals_ = false;
    const auto age = withdrawals_.oldest ? parts_.clock.now() - *withdrawals_.oldest : Duration{0};
    pendingCount_->Set(static_cast<double>(withdrawals_.count));
    pendingSeconds_->Set(std::max(0.0, seconds(age)));
  });
}

void Watch::report() {
  if (std::exchange(reporting_, true)) return;
  run([this]() -> drogon::Task<> {
    ConditionReport report{parts_.node, parts_.clock.now(), conditions_.all()};
    const auto before = report.conditions;
    try {
      co_await parts_.sink->take(std::move(report));
      conditions_.told(before);
      unkept_ = false;
    } catch (const std::exception& error) {
      if (!std::exchange(unkept_, true)) {
        log::warn("platform", "alerts cannot be kept, they are reported again and again",
                  log::field("error", std::string_view(error.what())));
      }
    }
    reporting_ = false;
  });
}

void Watch::reconcileIn(Duration pause) {
  reconcileJob_->nextIn(pause);
  drogon::app().getLoop()->runAfter(seconds(pause), [this] {
    run([this]() -> drogon::Task<> {
      std::string role = "finance";
      std::function<drogon::Task<>()> work = [this] { return reconcile(); };
      co_await reconcileJob_->run(std::move(role), std::move(work));
      // The quicker of the last two: waiting for a database, or for a processor, is not work.
      const Duration took = std::min(reconcileTook_, reconcileTookBefore_);
      const Duration regular = std::max(reconcileEvery_, took * kReconcileShare);
      const Duration again = std::max(kFirstReconcile, took * kReconcileAgainShare);
      const bool failed = reconcileJob_->state().failuresInRow > 0;
      reconcileIn(failed ? std::min(regular, again) : regular);
    });
  });
}

drogon::Task<> Watch::reconcile() {
  const Time started = parts_.clock.now();
  const auto compared = co_await parts_.finance->reconcile();
  if (!compared) throw std::runtime_error(std::string(info(compared.error().code).en));
  reconcileTookBefore_ = std::exchange(reconcileTook_, parts_.clock.now() - started);
  BooksSight seen{true, compared->difference.count, compared->difference.amount.value, {}};
  int broken = 0;
  for (const auto& invariant : compared->invariants) {
    if (invariant.holds) continue;
    ++broken;
    seen.broken += (seen.broken.empty() ? "" : ", ") + std::string(invariant.id);
  }
  differenceTips_->Set(static_cast<double>(seen.differenceTips));
  differenceFen_->Set(static_cast<double>(seen.differenceFen));
  brokenInvariants_->Set(broken);
  books_ = std::move(seen);
}

void Watch::addMetrics() {
  auto& metrics = parts_.metrics;
  auto& free = metrics.gauge("tipflow_data_dir_free_bytes",
                             "Free bytes of the disk that holds the data directory.");
  auto& size = metrics.gauge("tipflow_data_dir_size_bytes",
                             "Size of the disk that holds the data directory.");
  metrics.beforeCollect([this, &free, &size] {
    const auto disk = diskOf(parts_.config.dataDir);
    if (!disk) return;
    free.Set(static_cast<double>(disk->freeBytes));
    size.Set(static_cast<double>(disk->sizeBytes));
  });
  if (parts_.finance != nullptr) {
    pendingCount_ = &metrics.gauge("tipflow_withdrawals_pending",
                                   "Withdrawals that the provider has not decided.");
    pendingSeconds_ = &metrics.gauge("tipflow_withdrawals_oldest_pending_seconds",
                                     "Age of the oldest pending withdrawal; 0 when there is none.");
  }
  if (!parts_.reconciles) return;
  differenceTips_ = &metrics.gauge("tipflow_reconciliation_difference_tips",
                                   "Tips less ledger less in flight, when last compared.");
  differenceFen_ = &metrics.gauge("tipflow_reconciliation_difference_fen", "The same in fen.");
  brokenInvariants_ =
      &metrics.gauge("tipflow_reconciliation_broken_invariants",
                     "Invariants of the books that did not hold, when last looked.");
}

}  // namespace tipflow::app
