// The mirrors of finance/ledger_driver.cc and of the withdrawals in finance/service.cc.
#include "finance_node.h"

#include <fmt/format.h>

namespace tipflow::sim {

using finance::BatchAnswer;
using finance::BatchStatus;
using finance::LedgerBatch;

FinanceNode::FinanceNode(World& world, Slot<FinanceNode>& slot)
    : world_(world), slot_(slot), process_(slot.process) {}

void FinanceNode::start() {
  process_->spawn(finishPending());
  process_->spawn(runJob());
}

Task<std::unique_ptr<Connection>> FinanceNode::take() {
  if (!idle_.empty()) {
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    co_return connection;
  }
  auto opening = Connection::open(world_.db2.server, process_, world_.settings.financeAnswer);
  auto connection = co_await opening;
  co_return connection;
}

// The ledger --------------------------------------------------------------------------------------

Task<std::optional<LaneSeq>> FinanceNode::cursor(LaneId lane) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    try {
      auto taking = take();
      auto connection = co_await taking;
      auto statement = [&db = world_.db2, lane](const Txn& txn) {
        return store::cursor(db, txn, lane);
      };
      auto running = connection->read(std::move(statement));
      const LaneSeq found = co_await running;
      putBack(std::move(connection));
      co_return found;
    } catch (const db::ConnectionLost&) {
      // Once more, on a new connection.
    } catch (const db::Error&) {
      co_return std::nullopt;
    }
  }
  co_return std::nullopt;
}

Task<std::int64_t> FinanceNode::moveCursor(Connection& connection, Receiver::MoveCursor step) {
  const bool guarded = world_.mutant != Mutant::cursorWithoutGuard;
  auto statement = [&db = world_.db2, step, guarded](const Txn& txn) {
    return store::moveCursor(db, txn, step, guarded);
  };
  const bool alone = world_.mutant == Mutant::cursorOutsideTransaction;
  auto running = connection.run(alone ? Mode::alone : Mode::begin, std::move(statement));
  const std::int64_t matched = co_await running;
  co_return matched;
}

Task<finance::Terms> FinanceNode::readTerms(Connection& connection, const LedgerBatch& batch,
                                            std::vector<AnchorId> anchors) {
  auto statement = [&db = world_.db2, anchors](const Txn& txn) {
    return store::readTerms(db, txn, anchors);
  };
  auto running = connection.run(Mode::inside, std::move(statement));
  auto terms = co_await running;
  if (world_.mutant == Mutant::rateAtSettlement) {
    const auto only = [&](std::vector<finance::ShareRate>& rates) {
      std::erase_if(rates, [&](const auto& r) { return r.effectiveFrom > terms.now; });
      if (!rates.empty()) rates = {{Time{}, rates.back().rate}};
    };
    only(terms.platformRates);
    for (auto& entry : terms.anchorRates) only(entry.rates);
  }
  if (world_.mutant == Mutant::nothingHeldBack) {
    for (const auto& tip : batch.tips) terms.now = std::max(terms.now, tip.acceptedAt);
  }
  co_return terms;
}

Task<> FinanceNode::book(Connection& connection, const LedgerBatch& batch, Receiver::Book step) {
  const bool skip = world_.mutant == Mutant::cursorWithoutGuard;
  if (world_.mutant == Mutant::hourNotAdded) step.sums.pop_back();
  auto rows = [&db = world_.db2, step, skip](const Txn& txn) {
    store::bookRows(db, txn, step, skip);
    return true;
  };
  auto booking = connection.run(Mode::inside, std::move(rows));
  co_await booking;
  if (world_.mutant == Mutant::creditNotAdded && step.credits.size() > 1) step.credits.pop_back();
  const bool overwrites = world_.mutant == Mutant::creditOverwritten;
  std::vector<AccountRow> seen;
  if (overwrites) {
    // Read, add in memory, write back: what others wrote in between is lost.
    auto reading = [&db = world_.db2, credits = step.credits](const Txn& txn) {
      std::vector<AccountRow> accounts;
      for (const auto& credit : credits) {
        const auto* row = db.accounts.find(txn, credit.anchor);
        accounts.push_back(row == nullptr ? AccountRow{} : *row);
      }
      return accounts;
    };
    auto running = connection.run(Mode::inside, std::move(reading));
    seen = co_await running;
  }
  auto sums = [&db = world_.db2, lane = batch.lane, from = batch.from, to = batch.to, step,
               seen](const Txn& txn) {
    auto rest = step;
    for (std::size_t i = 0; i < seen.size(); ++i) {
      AccountRow row = seen[i];
      row.settled += rest.credits[i].units;
      db.accounts.put(txn, rest.credits[i].anchor, row);
    }
    if (!seen.empty()) rest.credits.clear();
    store::bookSums(db, txn, lane, from, to, rest);
    return true;
  };
  auto adding = connection.run(Mode::inside, std::move(sums));
  co_await adding;
  auto committing = connection.commit();
  co_await committing;
}

Task<FinanceNode::Receiver::Step> FinanceNode::run(const Receiver& receiver,
                                                   const LedgerBatch& batch, Connection& connection,
                                                   Receiver::Step step) {
  if (const auto* move = std::get_if<Receiver::MoveCursor>(&step)) {
    auto moving = moveCursor(connection, *move);
    const std::int64_t matched = co_await moving;
    co_return receiver.onCursorMoved(matched);
  }
  if (const auto* where = std::get_if<Receiver::ReadCursor>(&step)) {
    connection.rollback();
    auto statement = [&db = world_.db2, lane = where->lane](const Txn& txn) {
      return store::cursor(db, txn, lane);
    };
    auto running = connection.read(std::move(statement));
    const LaneSeq found = co_await running;
    co_return receiver.onCursorRead(found);
  }
  if (const auto* terms = std::get_if<Receiver::ReadTerms>(&step)) {
    auto reading = readTerms(connection, batch, terms->anchors);
    const auto found = co_await reading;
    co_return receiver.onTerms(found);
  }
  if (const auto* rows = std::get_if<Receiver::Book>(&step)) {
    auto booking = book(connection, batch, *rows);
    co_await booking;
    co_return receiver.onCommitted();
  }
  co_return step;
}

Task<BatchAnswer> FinanceNode::apply(LedgerBatch batch) {
  const Receiver receiver(batch);
  Receiver::Step step = Receiver::Done{};
  std::unique_ptr<Connection> connection;
  bool lost = false;
  try {
    step = receiver.start();
    auto taking = take();
    connection = co_await taking;
    while (!std::holds_alternative<Receiver::Done>(step)) {
      auto running = run(receiver, batch, *connection, std::move(step));
      step = co_await running;
    }
  } catch (const db::ConnectionLost& broken) {
    lost = true;
    step = receiver.onUnknown(broken.what());
  } catch (const db::Error& error) {
    step = receiver.onRolledBack(error.what());
  } catch (const BrokenInvariant& broken) {
    step = receiver.onRolledBack(broken.what());
  }
  if (connection && !lost) {
    connection->rollback();
    putBack(std::move(connection));
  }
  co_return std::get<Receiver::Done>(step).answer;
}

Task<std::optional<Time>> FinanceNode::setRate(AnchorId anchor, BasisPoints rate,
                                               Duration fromNow) {
  try {
    auto taking = take();
    auto connection = co_await taking;
    std::optional<Time> asked;
    if (fromNow != Duration{0}) asked = world_.scheduler.now() + fromNow;
    const bool notice = world_.mutant != Mutant::rateWithoutNotice;
    auto statement = [&db = world_.db2, anchor, rate, asked, notice](const Txn& txn) {
      return store::addRate(db, txn, anchor, rate, asked, notice);
    };
    auto running = connection->run(Mode::begin, std::move(statement));
    const Time from = co_await running;
    if (from == Time{}) {
      connection->rollback();
      putBack(std::move(connection));
      co_return std::nullopt;
    }
    auto committing = connection->commit();
    co_await committing;
    putBack(std::move(connection));
    co_return from;
  } catch (const db::Error&) {
    co_return std::nullopt;
  }
}

Task<bool> FinanceNode::applyByAutoId() {
  try {
    auto taking = take();
    auto connection = co_await taking;
    auto reading = [&db = world_.db2](const Txn& txn) { return store::cursor(db, txn, LaneId{0}); };
    auto asking = connection->read(std::move(reading));
    const LaneSeq at = co_await asking;
    // The newest tips by the order in which they were inserted; what commits later is missed.
    std::map<std::int64_t, const TipRow*> newer;
    for (const auto& [id, row] : world_.db1.tips.committed()) {
      if (row.autoId > at.value) newer[row.autoId] = &row;
    }
    if (newer.empty()) {
      putBack(std::move(connection));
      co_return true;
    }
    LedgerBatch batch{LaneId{1}, LaneSeq{1}, {}, {}};
    std::map<LaneId, std::vector<finance::LedgerTip>> byLane;
    for (const auto& [autoId, row] : newer) {
      batch.tips.push_back(store::ledgerTipOf(row->tip));
      byLane[laneOf(row->tip.id)].push_back(batch.tips.back());
    }
    const auto last = newer.rbegin()->first;
    auto moving = [&db = world_.db2, at, last, byLane](const Txn& txn) {
      const auto* row = db.cursors.lock(txn, LaneId{0});
      if ((row == nullptr ? LaneSeq{} : row->last) != at) throw db::RolledBack(0, "moved on");
      db.cursors.put(txn, LaneId{0}, {LaneSeq{last}, Fen{}});
      for (const auto& [lane, tips] : byLane) {
        const auto* cursor = db.cursors.lock(txn, lane);
        CursorRow next = cursor == nullptr ? CursorRow{} : *cursor;
        db.batches.insert(txn, {lane, seqOf(tips.back().id)}, {LaneSeq{next.last.value + 1}});
        next.last = seqOf(tips.back().id);
        for (const auto& tip : tips) next.amount += tip.amount;
        db.cursors.put(txn, lane, next);
      }
      return true;
    };
    auto begun = connection->run(Mode::begin, std::move(moving));
    co_await begun;
    const Receiver receiver(batch);
    std::vector<AnchorId> anchors;
    for (const auto& tip : batch.tips) anchors.push_back(tip.anchor);
    auto terms = readTerms(*connection, batch, anchors);
    const auto found = co_await terms;
    const auto step = receiver.onTerms(found);
    if (const auto* rows = std::get_if<Receiver::Book>(&step)) {
      batch.lane = LaneId{0}, batch.from = at, batch.to = LaneSeq{last};
      auto booking = book(*connection, batch, *rows);
      co_await booking;
    } else {
      connection->rollback();
    }
    putBack(std::move(connection));
  } catch (const db::Error&) {
    // Tried again from where the cursor is.
  }
  co_return true;
}

}  // namespace tipflow::sim
