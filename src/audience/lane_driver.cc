#include "audience/lane_driver.h"

#include <map>

#include "audience/tip_store.h"
#include "platform/log.h"
#include "platform/thread_name.h"

namespace tipflow::audience {
namespace {

using std::chrono::milliseconds;

// How often a lane with nothing to do, or with its database away, looks at the clock.
constexpr milliseconds kTick{100};

constexpr int kQuickTries = 3;

Ticket ticketOf(TipSlot& slot) { return reinterpret_cast<Ticket>(&slot); }
TipSlot& slotOf(Ticket ticket) { return *reinterpret_cast<TipSlot*>(ticket); }

}  // namespace

LaneDriver::LaneDriver(db::Database& db1, const Clock& clock, LaneIdentity identity,
                       LaneLimits limits, LaneMetrics metrics, CommitListener onCommitted)
    : db1_(db1),
      clock_(clock),
      identity_(std::move(identity)),
      limits_(limits),
      metrics_(metrics),
      onCommitted_(std::move(onCommitted)),
      thread_([this] { run(); }) {}

LaneDriver::~LaneDriver() { stop(); }

bool LaneDriver::submit(TipSlot& slot, Tip tip) {
  slot.answer.outcome = TipOutcome::unavailable;
  if (!healthy_.load(std::memory_order_relaxed)) {
    const std::lock_guard lock(mutex_);
    if (uncertain_.contains(tip.traceId)) slot.answer.outcome = TipOutcome::unknown;
    return false;
  }
  if (queued_.fetch_add(1, std::memory_order_relaxed) >= limits_.queue) {
    queued_.fetch_sub(1, std::memory_order_relaxed);
    slot.answer.outcome = TipOutcome::overloaded;
    return false;
  }
  bool wake = false;
  const Time since = clock_.now();
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) {
      queued_.fetch_sub(1, std::memory_order_relaxed);
      return false;
    }
    incoming_.push_back({&slot, std::move(tip), since});
    wake = std::exchange(waiting_, false);
  }
  // One wake-up a batch: a lane that is at work looks at what came when it is done.
  if (wake) wake_.notify_one();
  return true;
}

void LaneDriver::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    waiting_ = false;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void LaneDriver::run() {
  nameThread("lane");
  for (;;) {
    if (!lane_) openLane();
    takeIncoming(true);
    if (lane_) {
      try {
        drive();
      } catch (const BrokenInvariant& broken) {
        // The lane's numbers cannot be trusted: leave it to reconciliation, and start a new one.
        log::error("audience", "lane given up", log::field("lane", lane_->id().value),
                   log::field("error", std::string_view(broken.what())));
        setHealthy(false);
        lane_->abandon();
        deliver();
        unclosed_.emplace_back(lane_->id(), lane_->lastCommitted());
        lane_.reset();
        connection_.reset();
      }
    }
    const std::lock_guard lock(mutex_);
    if (stopping_ && incoming_.empty() && (!lane_ || lane_->idle())) break;
    if (stopping_ && lane_ && !healthy_) break;
  }
  if (lane_) {
    lane_->abandon();
    deliver();
    unclosed_.emplace_back(lane_->id(), lane_->lastCommitted());
  }
  if (!healthy_ || unclosed_.empty()) return;
  try {
    closeLanes();
  } catch (const db::Error& error) {
    log::warn("audience", "cannot close the lane",
              log::field("error", std::string_view(error.what())));
  }
}

void LaneDriver::openLane() {
  try {
    connection_ = db1_.connect(answerTimeout());
    closeLanes();
    const LaneId id =
        store::openLane(*connection_, identity_.node, identity_.process, identity_.lease);
    lane_ = std::make_unique<Lane>(id, limits_);
    laneId_ = id.value;
    setHealthy(true);
    log::info("audience", "lane opened", log::field("lane", id.value));
  } catch (const db::Error& error) {
    connection_.reset();
    log::warn("audience", "cannot open a lane",
              log::field("error", std::string_view(error.what())));
  }
}

// Closed lanes are looked at again and again, for a statement that commits late; an open one is
// not, while this process lives. So a lane that was given up is closed before the next one opens.
void LaneDriver::closeLanes() {
  while (!unclosed_.empty()) {
    const auto& [lane, last] = unclosed_.back();
    store::setLaneState(*connection_, lane, store::LaneState::closed, last);
    unclosed_.pop_back();
  }
}

void LaneDriver::takeIncoming(bool wait) {
  {
    std::unique_lock lock(mutex_);
    if (wait && incoming_.empty() && !stopping_) {
      waiting_ = true;
      wake_.wait_for(lock, kTick, [this] { return !waiting_; });
      waiting_ = false;
    }
    taken_.swap(incoming_);
  }
  for (auto& [slot, tip, since] : taken_) {
    if (lane_ && lane_->submit(ticketOf(*slot), std::move(tip), since)) continue;
    slot->answer = {ticketOf(*slot), TipOutcome::unavailable};
    queued_.fetch_sub(1, std::memory_order_relaxed);
    if (slot->group->open.fetch_sub(1) == 1) {
      slot->group->loop->queueInLoop([handle = slot->group->handle] { handle.resume(); });
    }
  }
  taken_.clear();
}

void LaneDriver::drive() {
  for (;;) {
    const auto action = lane_->next(clock_.now());
    deliver();  // repeats that were answered from memory
    if (std::holds_alternative<Lane::Idle>(action)) break;
    setHealthy(perform(action));
    lane_->expire(clock_.now());
    deliver();
    if (!healthy_) return;
    takeIncoming(false);
  }
}

void LaneDriver::setHealthy(bool healthy) {
  if (healthy_.load(std::memory_order_relaxed) == healthy) return;
  const std::lock_guard lock(mutex_);
  uncertain_.clear();
  if (!healthy) {
    for (const auto& traceId : lane_->underWay()) uncertain_.insert(traceId);
  }
  healthy_ = healthy;
}

// False when the database is away; the action stays the lane's next.
bool LaneDriver::perform(const Lane::Action& action) {
  try {
    if (!connection_) connection_ = db1_.connect(answerTimeout());
    if (const auto* insert = std::get_if<Lane::Insert>(&action)) {
      const Time started = clock_.now();
      const auto rows = insert->rows.size();
      store::insertTips(*connection_, insert->rows);
      lane_->onInserted();
      rolledBack_ = 0;
      const auto took = static_cast<double>((clock_.now() - started).count());
      metrics_.batch->Observe(static_cast<double>(rows));
      metrics_.commitSeconds->Observe(took / static_cast<double>(kUsPerSecond));
      log::info("audience", "tips committed", log::field("lane", lane_->id().value),
                log::field("to", lane_->lastCommitted().value), log::field("tips", rows),
                log::field("ms", took / kUsPerMs));
    } else if (const auto* lookUp = std::get_if<Lane::LookUp>(&action)) {
      lane_->onFound(store::tipsByTrace(*connection_, lookUp->traceIds));
    } else if (const auto* probe = std::get_if<Lane::Probe>(&action)) {
      lane_->onProbed(store::tipExists(*connection_, probe->first));
    }
    return true;
  } catch (const db::DuplicateKey&) {
    lane_->onDuplicate();
    return true;
  } catch (const db::RolledBack& busy) {
    lane_->onRolledBack();
    log::warn("audience", "insert rolled back, trying again",
              log::field("error", std::string_view(busy.what())));
    // A deadlock is over at once; a full disk is not, and is waited for.
    return ++rolledBack_ < kQuickTries;
  } catch (const db::Unavailable& away) {
    connection_.reset();
    log::warn("audience", "DB1 is away", log::field("error", std::string_view(away.what())));
    return false;
  } catch (const db::ConnectionLost& lost) {
    connection_.reset();
    lane_->onLost();
    log::warn("audience", "DB1 connection lost",
              log::field("error", std::string_view(lost.what())));
    return false;
  } catch (const db::Error& refused) {
    // The server said no and will say so again: the tips are answered, the lane goes on.
    log::error("audience", "DB1 refuses tips",
               log::field("error", std::string_view(refused.what())));
    if (!std::holds_alternative<Lane::Insert>(action)) return false;
    lane_->onRefused();
    return true;
  }
}

void LaneDriver::deliver() {
  if (const auto committed = lane_->takeCommitted(); !committed.empty()) {
    onCommitted_(lane_->id(), committed, clock_.now());
  }
  const auto answers = lane_->takeAnswers();
  if (answers.empty()) return;
  std::map<trantor::EventLoop*, std::vector<std::coroutine_handle<>>> ready;
  for (const auto& answer : answers) {
    TipSlot& slot = slotOf(answer.ticket);
    slot.answer = answer;
    TipGroup& group = *slot.group;
    if (group.open.fetch_sub(1) == 1) ready[group.loop].push_back(group.handle);
  }
  queued_.fetch_sub(answers.size(), std::memory_order_relaxed);
  for (auto& [loop, handles] : ready) {
    loop->queueInLoop([resumed = std::move(handles)] {
      for (const auto handle : resumed) handle.resume();
    });
  }
}

}  // namespace tipflow::audience
