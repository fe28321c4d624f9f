// The mirrors of audience/tips.cc and audience/sync_driver.cc.
#include "audience_node.h"

#include <fmt/format.h>

#include "audience/rules.h"
#include "finance_node.h"

namespace tipflow::sim {

using audience::Pusher;
using audience::Tip;
using audience::TipOutcome;
using finance::BatchAnswer;
using finance::BatchStatus;
using finance::LedgerBatch;

namespace {

constexpr Duration kKeeperTick{1'000'000};
constexpr int kLookAgainTicks = 30;
constexpr Duration kCallTimeout{2'000'000};

Tip contentOf(TraceId traceId, const audit::TipContent& content) {
  Tip tip;
  tip.traceId = traceId;
  tip.viewer = ViewerId{content.viewerId};
  tip.room = RoomId{content.roomId};
  tip.amount = Fen{content.amount};
  tip.giftId = content.giftId;
  tip.count = content.count;
  return tip;
}

audit::Told toldOf(TipOutcome outcome) {
  switch (outcome) {
    case TipOutcome::created:
      return audit::Told::created;
    case TipOutcome::exists:
      return audit::Told::exists;
    case TipOutcome::conflict:
      return audit::Told::conflict;
    case TipOutcome::unavailable:
    case TipOutcome::overloaded:
      return audit::Told::unavailable;
    case TipOutcome::unknown:
      return audit::Told::unknown;
  }
  return audit::Told::unknown;
}

}  // namespace

AudienceNode::AudienceNode(World& world, Slot<AudienceNode>& slot)
    : world_(world),
      slot_(slot),
      process_(slot.process),
      processName_(process_->name()),
      rooms_(world.rooms) {}

void AudienceNode::start() {
  for (int i = 0; i < world_.settings.lanes; ++i) {
    lanes_.push_back(std::make_unique<LaneHost>(world_, slot_, process_, processName_));
    lanes_.back()->onCommitted = [this](LaneId lane, const std::vector<NumberedTip>& rows) {
      auto& worker = workers_[lane];
      std::vector<finance::LedgerTip> tips;
      for (const auto& row : rows) tips.push_back(store::ledgerTipOf(row));
      if (worker) {
        worker->pusher.onCommitted(tips);
        if (worker->wake) worker->wake->set(true);
        return;
      }
      worker = std::make_unique<Worker>(lane, world_.settings.pusher);
      worker->pusher.onCommitted(tips);
      if (world_.mutant != Mutant::autoIncrementCursor) process_->spawn(work(*worker));
    };
    process_->spawn(lanes_.back()->run());
  }
  process_->spawn(world_.mutant == Mutant::autoIncrementCursor ? pushByAutoId() : keep());
}

Task<std::unique_ptr<Connection>> AudienceNode::connect() {
  return Connection::open(world_.db1.server, process_, Duration{20 * kUsPerSecond});
}

// A request -------------------------------------------------------------------------------------

Task<std::optional<NumberedTip>> AudienceNode::lookUp(TraceId traceId) {
  auto opening = connect();
  const auto connection = co_await opening;
  auto statement = [&db = world_.db1, traceId](const Txn& txn) {
    return store::tipsByTrace(db, txn, {traceId});
  };
  auto running = connection->read(std::move(statement));
  auto found = co_await running;
  if (found.empty()) co_return std::nullopt;
  co_return std::move(found.front());
}

Task<TipTold> AudienceNode::give(TraceId traceId, audit::TipContent content) {
  Tip tip = contentOf(traceId, content);
  const auto& room = rooms_.at(tip.room);
  audience::ViewerCard viewer;
  viewer.id = tip.viewer;
  if (audience::whyNotTip(viewer, room, false, {})) {
    try {
      auto looking = lookUp(traceId);
      const auto known = co_await looking;
      if (known && audience::sameContent(known->tip, tip)) {
        co_return TipTold{audit::Told::exists, known->id};
      }
    } catch (const db::ConnectionLost&) {
      // A read: nothing was written.
      co_return TipTold{audit::Told::unavailable, {}};
    } catch (const db::Error&) {
      co_return TipTold{audit::Told::unavailable, {}};
    }
    co_return TipTold{audit::Told::refused, {}};
  }
  tip.anchor = room.anchor;
  tip.session = room.session;
  tip.anchorGender = room.anchorGender;
  tip.viewerGender = viewer.gender;
  auto& lane = *lanes_[std::hash<TraceId>{}(traceId) % lanes_.size()];
  auto writing = lane.write(std::move(tip));
  const auto answer = co_await writing;
  if (answer.outcome == TipOutcome::overloaded) world_.coverage.add(Met::tipOverloaded);
  co_return TipTold{toldOf(answer.outcome), answer.id};
}

// To finance --------------------------------------------------------------------------------------

Task<LaneSeq> AudienceNode::cursor(LaneId lane) {
  auto& to = world_.finance[world_.random.below(world_.finance.size())];
  std::function<Task<std::optional<LaneSeq>>(FinanceNode&)> request = [lane](FinanceNode& node) {
    return node.cursor(lane);
  };
  auto asking = world_.ask(process_, to, std::move(request), kCallTimeout);
  const auto heard = co_await asking;
  if (!heard.reply || !*heard.reply) throw db::Unavailable(0, "finance is away");
  co_return **heard.reply;
}

Task<BatchAnswer> AudienceNode::apply(LedgerBatch batch) {
  auto& to = world_.finance[world_.random.below(world_.finance.size())];
  std::function<Task<BatchAnswer>(FinanceNode&)> request = [batch](FinanceNode& node) {
    return node.apply(batch);
  };
  auto asking = world_.ask(process_, to, std::move(request), kCallTimeout);
  const auto heard = co_await asking;
  if (heard.refused) throw db::Unavailable(0, "finance is away");
  co_return heard.reply.value_or(BatchAnswer{BatchStatus::unknown, {}});
}

void AudienceNode::count(const BatchAnswer& answer, std::size_t, bool adopting) {
  switch (answer.status) {
    case BatchStatus::applied:
      return world_.coverage.add(adopting ? Met::laneAdopted : Met::pushApplied);
    case BatchStatus::conflict:
      return world_.coverage.add(adopting ? Met::adoptersAtOnce : Met::pushConflict);
    case BatchStatus::heldBack:
      return world_.coverage.add(Met::pushHeldBack);
    case BatchStatus::failed:
      return world_.coverage.add(Met::pushFailed);
    case BatchStatus::unknown:
      return world_.coverage.add(Met::pushUnknown);
  }
}

Task<LaneSeq> AudienceNode::lastSeq(LaneId lane) {
  auto statement = [&db = world_.db1, lane](const Txn&) { return store::lastSeq(db, lane); };
  auto running = keeperDb1_->read(std::move(statement));
  LaneSeq last = co_await running;
  co_return last;
}

Task<std::vector<finance::LedgerTip>> AudienceNode::load(Connection& connection, LaneId lane,
                                                         LaneSeq after, std::size_t limit) {
  world_.coverage.add(Met::pusherLoaded);
  auto statement = [&db = world_.db1, lane, after, limit](const Txn&) {
    return store::ledgerTips(db, lane, after, limit);
  };
  auto running = connection.read(std::move(statement));
  auto tips = co_await running;
  co_return tips;
}

Task<> AudienceNode::work(Worker& worker) {
  for (;;) {
    auto stepping = step(worker);
    const auto until = co_await stepping;
    if (!until) continue;
    worker.wake = cellOf<bool>(process_);
    if (*until != Time{}) {
      const Duration pause = std::min(*until - now(), kKeeperTick);
      world_.scheduler.after(std::max(pause, Duration{kUsPerMs}),
                             [wake = worker.wake] { wake->set(true); });
    }
    co_await worker.wake->wait();
    worker.wake.reset();
  }
}

Task<std::optional<Time>> AudienceNode::step(Worker& worker) {
  auto& pusher = worker.pusher;
  const auto action = pusher.next(now());
  // Idle, only a commit can change anything.
  if (std::holds_alternative<Pusher::Idle>(action)) co_return Time{};
  if (const auto* wait = std::get_if<Pusher::WaitUntil>(&action)) co_return wait->time;
  bool failed = false;
  try {
    if (const auto* asked = std::get_if<Pusher::Load>(&action)) {
      if (!worker.db1) {
        auto opening = connect();
        worker.db1 = co_await opening;
      }
      auto loading = load(*worker.db1, pusher.lane(), asked->after, asked->limit);
      auto tips = co_await loading;
      pusher.onLoaded(std::move(tips));
    } else if (std::holds_alternative<Pusher::AskCursor>(action)) {
      auto asking = cursor(pusher.lane());
      const LaneSeq cursor = co_await asking;
      pusher.onCursor(cursor);
    } else if (const auto* push = std::get_if<Pusher::Push>(&action)) {
      LedgerBatch batch{pusher.lane(), push->from, push->to, push->tips, std::nullopt, now()};
      auto applying = apply(std::move(batch));
      BatchAnswer answer = co_await applying;
      count(answer, push->tips.size(), false);
      if (world_.mutant == Mutant::pusherTrustsMemory) {
        // It knows better where the cursor is.
        answer = {BatchStatus::applied, push->to};
      }
      pusher.onAnswer(answer, now());
    }
  } catch (const BrokenInvariant& broken) {
    world_.auditor.report("I5", fmt::format("lane {}: {}", pusher.lane().value, broken.what()));
    failed = true;
  } catch (const db::Error&) {
    worker.db1.reset();
    failed = true;
  }
  if (failed) pusher.onFailed(now());
  co_return std::nullopt;
}

// The keeper --------------------------------------------------------------------------------------

Task<> AudienceNode::keep() {
  Time renewAt{};
  for (int tick = 0;; ++tick) {
    try {
      if (!keeperDb1_) {
        auto opening = connect();
        keeperDb1_ = co_await opening;
      }
      if (now() >= renewAt) {
        auto statement = [&db = world_.db1, process = processName_,
                          lease = world_.settings.laneLease](const Txn& txn) {
          store::renewLanes(db, txn, process, lease);
          return true;
        };
        auto running = keeperDb1_->run(Mode::alone, std::move(statement));
        co_await running;
        renewAt = now() + world_.settings.laneLease / 3;
      }
      auto adopting = adopt();
      co_await adopting;
      if (tick % kLookAgainTicks == 0 && world_.mutant != Mutant::adoptedLaneForgotten) {
        auto looking = lookAgain();
        co_await looking;
      }
    } catch (const BrokenInvariant& broken) {
      world_.auditor.report("I5", broken.what());
      keeperDb1_.reset();
    } catch (const db::Error&) {
      keeperDb1_.reset();
    }
    auto pause = sleep(process_, kKeeperTick);
    co_await pause;
  }
}

Task<> AudienceNode::adopt() {
  auto finding = [&db = world_.db1, node = slot_.name, process = processName_](const Txn& txn) {
    return store::orphanedLanes(db, txn, node, process);
  };
  auto running = keeperDb1_->read(std::move(finding));
  const auto orphans = co_await running;
  for (const auto& orphan : orphans) {
    if (workers_.contains(orphan.id)) continue;
    auto looking = [&server = world_.db1.server, id = orphan.row.connectionId](const Txn&) {
      return server.knows(id);
    };
    auto asking = keeperDb1_->read(std::move(looking));
    const bool alive = co_await asking;
    const bool gone = orphan.row.state == LaneState::closed || !alive ||
                      world_.mutant == Mutant::adoptedLaneForgotten;
    auto pushing = pushAll(orphan.id);
    co_await pushing;
    if (!gone) continue;
    auto reading = lastSeq(orphan.id);
    const LaneSeq last = co_await reading;
    auto cursorOf = cursor(orphan.id);
    const LaneSeq settled = co_await cursorOf;
    if (settled != last) continue;
    auto statement = [&db = world_.db1, lane = orphan.id](const Txn& txn) {
      store::setLaneState(db, txn, lane, LaneState::settled);
      return true;
    };
    auto setting = keeperDb1_->run(Mode::alone, std::move(statement));
    co_await setting;
  }
}

Task<> AudienceNode::pushAll(LaneId lane) {
  auto limits = world_.settings.pusher;
  limits.gather = Duration{0};
  Pusher pusher(lane, limits);
  auto reading = lastSeq(lane);
  const LaneSeq last = co_await reading;
  pusher.onSeen(last);
  for (;;) {
    const auto action = pusher.next(now());
    if (std::holds_alternative<Pusher::Idle>(action)) co_return;
    if (std::holds_alternative<Pusher::WaitUntil>(action)) co_return;
    if (std::holds_alternative<Pusher::AskCursor>(action)) {
      auto asking = cursor(lane);
      const LaneSeq cursor = co_await asking;
      pusher.onCursor(cursor);
    } else if (const auto* asked = std::get_if<Pusher::Load>(&action)) {
      auto loading = load(*keeperDb1_, lane, asked->after, asked->limit);
      auto tips = co_await loading;
      pusher.onLoaded(std::move(tips));
    } else if (const auto* push = std::get_if<Pusher::Push>(&action)) {
      LedgerBatch batch{lane, push->from, push->to, push->tips, std::nullopt, now()};
      auto applying = apply(std::move(batch));
      const BatchAnswer answer = co_await applying;
      count(answer, push->tips.size(), true);
      pusher.onAnswer(answer, now());
    }
  }
}

Task<> AudienceNode::lookAgain() {
  auto finding = [&db = world_.db1](const Txn&) { return store::finishedLanes(db); };
  auto running = keeperDb1_->read(std::move(finding));
  const auto lanes = co_await running;
  for (const auto lane : lanes) {
    const auto before = world_.db2.ledger.committed().size();
    auto pushing = pushAll(lane);
    co_await pushing;
    if (world_.db2.ledger.committed().size() > before) world_.coverage.add(Met::lateTipFound);
  }
}

Task<> AudienceNode::pushByAutoId() {
  for (;;) {
    auto& to = world_.finance[world_.random.below(world_.finance.size())];
    std::function<Task<bool>(FinanceNode&)> request = [](FinanceNode& node) {
      return node.applyByAutoId();
    };
    auto asking = world_.ask(process_, to, std::move(request), kCallTimeout);
    co_await asking;
    auto pause = sleep(process_, Duration{20'000});
    co_await pause;
  }
}

}  // namespace tipflow::sim
