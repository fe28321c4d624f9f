// The mirror of audience/lane_driver.cc.
#include <algorithm>

#include "audience_node.h"

namespace tipflow::sim {

using audience::Lane;
using audience::TipAnswer;
using audience::TipOutcome;

namespace {

constexpr Duration kTick{100'000};
constexpr int kQuickTries = 3;

}  // namespace

LaneHost::LaneHost(World& world, const Slot<AudienceNode>& slot, std::shared_ptr<Process> process,
                   std::string processName)
    : world_(world),
      slot_(slot),
      process_(std::move(process)),
      processName_(std::move(processName)) {}

Task<TipAnswer> LaneHost::write(audience::Tip tip) {
  TipAnswer refused;
  refused.outcome = TipOutcome::unavailable;
  if (!healthy_) {
    if (uncertain_.contains(tip.traceId)) {
      world_.coverage.add(Met::unknownWhileAway);
      refused.outcome = TipOutcome::unknown;
    }
    co_return refused;
  }
  if (queued_ >= world_.settings.lane.queue) {
    refused.outcome = TipOutcome::overloaded;
    co_return refused;
  }
  ++queued_;
  if (isAsked(tip.traceId)) world_.coverage.add(Met::repeatWhileWaiting);
  const auto answer = cellOf<TipAnswer>(process_);
  waiting_[++tickets_] = {answer, tip};
  incoming_.push_back({tickets_, std::move(tip), now()});
  if (wake_) wake_->set(true);
  TipAnswer told = co_await answer->wait();
  co_return told;
}

Task<> LaneHost::run() {
  for (;;) {
    if (!lane_) {
      auto opening = openLane();
      co_await opening;
    }
    if (incoming_.empty()) {
      auto napping = nap();
      co_await napping;
    }
    takeIncoming();
    if (!lane_) continue;
    bool broken = false;
    try {
      auto driving = drive();
      co_await driving;
    } catch (const BrokenInvariant&) {
      broken = true;
    }
    if (!broken) continue;
    world_.coverage.add(Met::laneGivenUp);
    setHealthy(false);
    lane_->abandon();
    deliver();
    unclosed_.push_back(lane_->id());
    lane_.reset();
    connection_.reset();
  }
}

// Idle and healthy, only a tip can change anything.
Task<> LaneHost::nap() {
  wake_ = cellOf<bool>(process_);
  if (!lane_ || !healthy_ || !lane_->idle()) {
    world_.scheduler.after(kTick, [wake = wake_] { wake->set(true); });
  }
  co_await wake_->wait();
  wake_.reset();
}

Task<> LaneHost::openLane() {
  try {
    const Duration timeout = world_.settings.lane.wait - Duration{kUsPerSecond};
    auto opening = Connection::open(world_.db1.server, process_, timeout);
    connection_ = co_await opening;
    auto closing = closeLanes();
    co_await closing;
    const LaneRow row{slot_.name, processName_, connection_->id(), LaneState::open,
                      world_.scheduler.now() + world_.settings.laneLease};
    auto statement = [&db = world_.db1, row](const Txn& txn) {
      return store::openLane(db, txn, row);
    };
    auto running = connection_->run(Mode::alone, std::move(statement));
    const LaneId id = co_await running;
    lane_ = std::make_unique<Lane>(id, world_.settings.lane);
    world_.coverage.add(Met::laneOpened);
    setHealthy(true);
  } catch (const db::Error&) {
    connection_.reset();
  }
}

Task<> LaneHost::closeLanes() {
  while (!unclosed_.empty()) {
    auto statement = [&db = world_.db1, lane = unclosed_.back()](const Txn& txn) {
      store::setLaneState(db, txn, lane, LaneState::closed);
      return true;
    };
    auto running = connection_->run(Mode::alone, std::move(statement));
    co_await running;
    unclosed_.pop_back();
  }
}

void LaneHost::takeIncoming() {
  auto taken = std::exchange(incoming_, {});
  for (auto& [ticket, tip, since] : taken) {
    if (lane_ && lane_->submit(ticket, std::move(tip), since)) continue;
    give({ticket, TipOutcome::unavailable});
  }
}

Task<> LaneHost::drive() {
  for (;;) {
    const auto action = lane_->next(now());
    deliver();
    if (std::holds_alternative<Lane::Idle>(action)) co_return;
    auto performing = perform(action);
    const bool reached = co_await performing;
    setHealthy(reached);
    lane_->expire(now());
    deliver();
    if (!healthy_) co_return;
    takeIncoming();
  }
}

void LaneHost::setHealthy(bool healthy) {
  if (healthy_ == healthy) return;
  uncertain_.clear();
  if (!healthy) {
    for (const auto& traceId : lane_->underWay()) uncertain_.insert(traceId);
  }
  healthy_ = healthy;
}

Task<> LaneHost::insert(std::vector<NumberedTip> rows) {
  if (rows.size() > 1) world_.coverage.add(Met::batchOfMany);
  if (world_.mutant == Mutant::acknowledgeBeforeCommit) acknowledge(rows);
  const bool ignore = world_.mutant == Mutant::insertIgnoresDuplicates;
  auto statement = [&db = world_.db1, rows = std::move(rows), ignore](const Txn& txn) {
    if (ignore) {
      store::insertNewTips(db, txn, rows);
    } else {
      store::insertTips(db, txn, rows);
    }
    return true;
  };
  auto running = connection_->run(Mode::alone, std::move(statement));
  co_await running;
}

Task<bool> LaneHost::perform(Lane::Action action) {
  try {
    if (!connection_) {
      const Duration timeout = world_.settings.lane.wait - Duration{kUsPerSecond};
      auto opening = Connection::open(world_.db1.server, process_, timeout);
      connection_ = co_await opening;
    }
    if (const auto* batch = std::get_if<Lane::Insert>(&action)) {
      std::vector<NumberedTip> rows(batch->rows.begin(), batch->rows.end());
      auto inserting = insert(std::move(rows));
      co_await inserting;
      lane_->onInserted();
      rolledBack_ = 0;
    } else if (const auto* lookUp = std::get_if<Lane::LookUp>(&action)) {
      auto statement = [&db = world_.db1, traceIds = lookUp->traceIds](const Txn& txn) {
        return store::tipsByTrace(db, txn, traceIds);
      };
      auto running = connection_->read(std::move(statement));
      auto found = co_await running;
      if (world_.mutant == Mutant::duplicatesNotCompared) {
        // Whatever the row holds, it is taken for what was asked.
        for (auto& row : found) row.tip = asked(row.tip.traceId);
      }
      lane_->onFound(found);
    } else if (const auto* probe = std::get_if<Lane::Probe>(&action)) {
      auto statement = [&db = world_.db1, id = probe->first](const Txn& txn) {
        return store::tipExists(db, txn, id);
      };
      auto running = connection_->read(std::move(statement));
      const bool present = co_await running;
      world_.coverage.add(present ? Met::probeFound : Met::probeEmpty);
      lane_->onProbed(present);
    }
    co_return true;
  } catch (const db::DuplicateKey&) {
    world_.coverage.add(Met::insertDuplicate);
    lane_->onDuplicate();
    co_return true;
  } catch (const db::RolledBack&) {
    world_.coverage.add(Met::insertRolledBack);
    lane_->onRolledBack();
    co_return ++rolledBack_ < kQuickTries;
  } catch (const db::Unavailable&) {
    connection_.reset();
    co_return false;
  } catch (const db::ConnectionLost&) {
    connection_.reset();
    onLost(std::holds_alternative<Lane::Insert>(action));
    co_return false;
  } catch (const db::Error&) {
    if (!std::holds_alternative<Lane::Insert>(action)) co_return false;
    world_.coverage.add(Met::insertRefused);
    lane_->onRefused();
    co_return true;
  }
}

void LaneHost::onLost(bool inserting) {
  if (inserting) {
    world_.coverage.add(Met::insertLost);
    if (world_.mutant == Mutant::lostTakenForCommitted) return lane_->onInserted();
    if (world_.mutant == Mutant::lostTakenForRolledBack) return lane_->onRefused();
  }
  lane_->onLost();
}

// Planted (acknowledgeBeforeCommit).
void LaneHost::acknowledge(const std::vector<NumberedTip>& rows) {
  for (const auto& row : rows) {
    for (const auto& [ticket, waiting] : waiting_) {
      if (waiting.tip.traceId != row.tip.traceId) continue;
      waiting.cell->set({ticket, TipOutcome::created, row.id, row.acceptedAt});
      break;
    }
  }
}

bool LaneHost::isAsked(const TraceId& traceId) const {
  return std::any_of(waiting_.begin(), waiting_.end(),
                     [&](const auto& entry) { return entry.second.tip.traceId == traceId; });
}

// Planted (duplicatesNotCompared): what somebody asked under the traceId.
audience::Tip LaneHost::asked(const TraceId& traceId) const {
  for (const auto& [ticket, waiting] : waiting_) {
    if (waiting.tip.traceId == traceId) return waiting.tip;
  }
  return {};
}

void LaneHost::deliver() {
  if (const auto committed = lane_->takeCommitted(); !committed.empty()) {
    onCommitted(lane_->id(), committed);
  }
  for (auto answer : lane_->takeAnswers()) {
    if (world_.mutant == Mutant::existsToldAsCreated && answer.outcome == TipOutcome::exists) {
      answer.outcome = TipOutcome::created;
    }
    give(answer);
  }
}

void LaneHost::give(const TipAnswer& answer) {
  --queued_;
  const auto place = waiting_.find(answer.ticket);
  place->second.cell->set(answer);
  waiting_.erase(place);
}

}  // namespace tipflow::sim
