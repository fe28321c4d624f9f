#include "audience/sync_driver.h"

#include "audience/tip_store.h"
#include "platform/log.h"
#include "platform/thread_name.h"

namespace tipflow::audience {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kKeeperTick{1'000};
// A transaction costs finance the same for one tip as for a hundred: under load a lane gathers
// tips for this long. It is a sixth of what a tip may take until it is settled.
constexpr milliseconds kGather{40};
// Every so many ticks all lanes there ever were are compared with their cursors.
constexpr int kLookAgainTicks = 30;

PusherLimits ownLaneLimits() {
  PusherLimits limits;
  limits.gather = kGather;
  return limits;
}

finance::LedgerTip ledgerTipOf(const NumberedTip& numbered) {
  const auto& tip = numbered.tip;
  return {numbered.id,      tip.anchor,       tip.viewer,         tip.amount,
          tip.anchorGender, tip.viewerGender, numbered.acceptedAt};
}

}  // namespace

SyncDriver::SyncDriver(db::Database& db1, finance::FinanceClient* finance, const Clock& clock,
                       SyncIdentity identity, TipTraces& traces, Metrics& metrics,
                       schedule::Jobs& jobs)
    : db1_(db1),
      finance_(finance),
      clock_(clock),
      identity_(std::move(identity)),
      traces_(traces),
      lagTips_(metrics.gauge("tipflow_sync_lag_tips", "Tips committed and not yet settled.")),
      lagSeconds_(metrics.gauge("tipflow_sync_lag_seconds",
                                "Age of the oldest tip committed and not yet settled.")),
      settled_(metrics.counter("tipflow_sync_settled_tips_total", "Tips handed to finance.")),
      failures_(metrics.counter("tipflow_sync_failures_total", "Pushes that did not succeed.")),
      keeperJob_(jobs.add("lane_keeper", kKeeperTick)),
      keeper_([this] { keep(); }) {
  metrics.beforeCollect([this] {
    const auto now = waiting();
    const Duration age = now.oldest ? clock_.now() - *now.oldest : Duration{0};
    lagTips_.Set(static_cast<double>(now.tips));
    lagSeconds_.Set(std::max(0.0, static_cast<double>(age.count()) / kUsPerSecond));
  });
}

SyncDriver::~SyncDriver() { stop(Duration{0}); }

void SyncDriver::onCommitted(LaneId lane, const std::vector<NumberedTip>& tips, Time committedAt) {
  traces_.onCommitted(lane, tips, committedAt);
  std::vector<finance::LedgerTip> ledgerTips;
  ledgerTips.reserve(tips.size());
  for (const auto& tip : tips) ledgerTips.push_back(ledgerTipOf(tip));
  Worker* worker = nullptr;
  {
    const std::lock_guard lock(workersMutex_);
    auto& place = workers_[lane];
    if (!place) {
      place = std::make_unique<Worker>(lane, ownLaneLimits());
      place->thread = std::thread([this, &w = *place] { work(w); });
    }
    worker = place.get();
  }
  {
    const std::lock_guard lock(worker->mutex);
    worker->pusher.onCommitted(ledgerTips);
    worker->lastCommit = committedAt;
  }
  worker->wake.notify_one();
}

Waiting SyncDriver::waiting() const {
  const std::lock_guard lock(workersMutex_);
  Waiting all = orphans_;
  for (const auto& [lane, worker] : workers_) {
    const std::lock_guard workerLock(worker->mutex);
    all.tips += worker->pusher.lag();
    const auto oldest = worker->pusher.oldestWaiting();
    if (oldest && (!all.oldest || *oldest < *all.oldest)) all.oldest = oldest;
  }
  return all;
}

void SyncDriver::stop(Duration limit) {
  if (!keeper_.joinable()) return;
  stopBy_ = clock_.now() + limit;
  stopping_ = true;
  for (auto& [lane, worker] : workers_) {
    worker->wake.notify_all();
    worker->thread.join();
  }
  {
    const std::lock_guard lock(keeperMutex_);
    pushersEnded_ = true;
  }
  keeperWake_.notify_all();
  keeper_.join();
}

void SyncDriver::work(Worker& worker) {
  nameThread("push");
  Hands hands;
  std::unique_lock lock(worker.mutex);
  for (;;) {
    Time until{};
    if (step(worker, hands, lock, until)) {
      if (stopping_ && clock_.now() >= stopBy_) return;
      continue;
    }
    if (stopping_ && (worker.pusher.lag() == 0 || clock_.now() >= stopBy_)) return;
    const auto pause = std::min<Duration>(until - clock_.now(), kKeeperTick);
    worker.wake.wait_for(lock, std::max<Duration>(pause, milliseconds(1)));
  }
}

bool SyncDriver::step(Worker& worker, Hands& hands, std::unique_lock<std::mutex>& lock,
                      Time& until) {
  const Time now = clock_.now();
  auto& pusher = worker.pusher;
  const auto action = pusher.next(now);
  if (std::holds_alternative<Pusher::Idle>(action)) {
    until = now + kKeeperTick;
    return false;
  }
  if (const auto* wait = std::get_if<Pusher::WaitUntil>(&action)) {
    until = wait->time;
    return false;
  }
  // The time of the last commit is that of the last tip only when the push reaches it.
  std::optional<Time> committedAt;
  if (const auto* push = std::get_if<Pusher::Push>(&action);
      push != nullptr && pusher.lag() == static_cast<std::int64_t>(push->tips.size())) {
    committedAt = worker.lastCommit;
  }
  try {
    if (std::holds_alternative<Pusher::Load>(action)) {
      lock.unlock();
      if (!hands.db1) hands.db1 = db1_.connect();
      const auto& load = std::get<Pusher::Load>(action);
      auto tips = store::ledgerTips(*hands.db1, pusher.lane(), load.after, load.limit);
      lock.lock();
      pusher.onLoaded(std::move(tips));
      return true;
    }
    lock.unlock();
    if (finance_ == nullptr) throw db::Unavailable(0, "no node has the role finance");
    if (!hands.ledger) hands.ledger = finance_->openLedger();
    if (std::holds_alternative<Pusher::AskCursor>(action)) {
      const auto cursor = hands.ledger->cursor(pusher.lane());
      lock.lock();
      pusher.onCursor(cursor);
      return true;
    }
    const auto& push = std::get<Pusher::Push>(action);
    const auto answer =
        hands.ledger->apply({pusher.lane(), push.from, push.to, push.tips, committedAt, now,
                             traces_.onPush(pusher.lane(), push.from, push.to, now)});
    traces_.onPushed(pusher.lane(), push.from, push.to,
                     answer.status == finance::BatchStatus::applied, clock_.now());
    lock.lock();
    pusher.onAnswer(answer, clock_.now());
    if (answer.status == finance::BatchStatus::applied) {
      settled_.Increment(static_cast<double>(push.tips.size()));
    } else {
      failures_.Increment();
    }
    return true;
  } catch (const BrokenInvariant& broken) {
    if (!lock.owns_lock()) lock.lock();
    log::error("audience", "a lane does not hold what was committed: sync of it stands still",
               log::field("lane", pusher.lane().value),
               log::field("error", std::string_view(broken.what())));
    pusher.onFailed(clock_.now());
    return true;
  } catch (const std::exception& error) {
    if (!lock.owns_lock()) lock.lock();
    hands = {};
    failures_.Increment();
    log::line(finance_ == nullptr ? log::Level::debug : log::Level::warn, "audience", {},
              "finance or DB1 is away, tips wait", log::field("lane", pusher.lane().value),
              log::field("error", std::string_view(error.what())));
    pusher.onFailed(clock_.now());
    return true;
  }
}

void SyncDriver::keep() {
  nameThread("lane-keeper");
  Hands hands;
  Time renewAt{};
  for (int tick = 0; !stopping_; ++tick) {
    const Time started = clock_.now();
    try {
      if (!hands.db1) hands.db1 = db1_.connect();
      if (const Time now = clock_.now(); now >= renewAt) {
        store::renewLanes(*hands.db1, identity_.process, identity_.lease);
        renewAt = now + identity_.lease / 3;
      }
      noteProgress(hands);
      countOrphans(hands);
      if (finance_ != nullptr) {
        adopt(hands);
        if (tick % kLookAgainTicks == 0) lookAgain(hands);
      }
      keeperJob_.succeeded(started);
    } catch (const std::exception& error) {
      hands = {};
      keeperJob_.failed(started, error.what());
      log::warn("audience", "keeping lanes failed, trying again",
                log::field("error", std::string_view(error.what())));
    }
    std::unique_lock lock(keeperMutex_);
    keeperWake_.wait_for(lock, kKeeperTick, [this] { return stopping_.load(); });
  }
  std::unique_lock lock(keeperMutex_);
  keeperWake_.wait(lock, [this] { return pushersEnded_; });
  if (!hands.db1) return;
  try {
    noteProgress(hands);  // else the next process takes what was settled last for waiting
  } catch (const std::exception& error) {
    log::warn("audience", "cannot note how far tips are settled",
              log::field("error", std::string_view(error.what())));
  }
}

void SyncDriver::countOrphans(Hands& hands) {
  Waiting found;
  for (const auto& lane : store::orphanedLanes(*hands.db1, identity_.node, identity_.process)) {
    {
      const std::lock_guard lock(workersMutex_);
      if (workers_.contains(lane.id)) continue;  // its own worker counts it
    }
    const auto settled = store::noted(*hands.db1, lane.id);
    const auto oldest = store::ledgerTips(*hands.db1, lane.id, settled, 1);
    if (oldest.empty()) continue;
    found.tips += store::lastSeq(*hands.db1, lane.id).value - settled.value;
    found.oldest =
        std::min(found.oldest.value_or(oldest.front().acceptedAt), oldest.front().acceptedAt);
  }
  const std::lock_guard lock(workersMutex_);
  orphans_ = found;
}

void SyncDriver::adopt(Hands& hands) {
  for (const auto& lane : store::orphanedLanes(*hands.db1, identity_.node, identity_.process)) {
    if (stopping_) return;
    {
      // A lane of ours that is closed is still being pushed by its own worker.
      const std::lock_guard lock(workersMutex_);
      if (workers_.contains(lane.id)) continue;
    }
    // The order matters: what a vanished connection had under way is in DB1 once it is gone.
    const bool gone = lane.state == store::LaneState::closed ||
                      !store::connectionAlive(*hands.db1, lane.connectionId);
    pushAll(hands, lane.id);
    if (!gone) continue;
    const auto last = store::lastSeq(*hands.db1, lane.id);
    if (hands.ledger->cursor(lane.id) != last) continue;
    store::setLaneState(*hands.db1, lane.id, store::LaneState::settled, last);
    log::info("audience", "orphaned lane settled", log::field("lane", lane.id.value),
              log::field("tips", last.value));
  }
}

// Throws when finance or DB1 fails; two adopters at once are harmless, the cursor lets one win.
void SyncDriver::pushAll(Hands& hands, LaneId lane) {
  if (!hands.ledger) hands.ledger = finance_->openLedger();
  Pusher pusher(lane, {});
  pusher.onSeen(store::lastSeq(*hands.db1, lane));
  LaneSeq settled;
  Time noteAt = clock_.now() + kKeeperTick;
  const auto note = [&] {
    if (settled == LaneSeq{}) return;
    store::noteProgress(*hands.db1, lane, settled, clock_.now(), "");
    countOrphans(hands);
    noteAt = clock_.now() + kKeeperTick;
  };
  for (;;) {
    const auto action = pusher.next(clock_.now());
    // Not to be settled yet, or finance said no: the next round tries again.
    if (std::holds_alternative<Pusher::Idle>(action) ||
        std::holds_alternative<Pusher::WaitUntil>(action) || stopping_) {
      return note();
    }
    if (std::holds_alternative<Pusher::AskCursor>(action)) {
      pusher.onCursor(hands.ledger->cursor(lane));
    } else if (const auto* load = std::get_if<Pusher::Load>(&action)) {
      pusher.onLoaded(store::ledgerTips(*hands.db1, lane, load->after, load->limit));
    } else if (const auto* push = std::get_if<Pusher::Push>(&action)) {
      const auto answer =
          hands.ledger->apply({lane, push->from, push->to, push->tips, std::nullopt, clock_.now()});
      pusher.onAnswer(answer, clock_.now());
      if (answer.status != finance::BatchStatus::applied) continue;
      settled_.Increment(static_cast<double>(push->tips.size()));
      settled = answer.cursor;
      if (clock_.now() >= noteAt) note();
    }
  }
}

// A statement of a killed process may commit after its lane was taken for settled.
void SyncDriver::lookAgain(Hands& hands) {
  for (const auto lane : store::finishedLanes(*hands.db1)) {
    if (stopping_) return;
    pushAll(hands, lane);
  }
}

void SyncDriver::noteProgress(Hands& hands) {
  std::vector<std::pair<LaneId, LaneSeq>> progress;
  {
    const std::lock_guard lock(workersMutex_);
    for (const auto& [lane, worker] : workers_) {
      const std::lock_guard workerLock(worker->mutex);
      const auto cursor = worker->pusher.cursor();
      if (cursor && noted_[lane] != *cursor) progress.emplace_back(lane, *cursor);
    }
  }
  for (const auto& [lane, seq] : progress) {
    store::noteProgress(*hands.db1, lane, seq, clock_.now(), "");
    noted_[lane] = seq;
  }
}

}  // namespace tipflow::audience
