// The mirror of the withdrawals in finance/service.cc, and of the job that works under a lease.
#include <fmt/format.h>

#include "finance_node.h"

namespace tipflow::sim {

using finance::PayoutResult;
using finance::Withdrawal;
using finance::WithdrawalFlow;
using finance::WithdrawalRequest;
using finance::WithdrawalState;

namespace {

constexpr int kAttempts = 5;
constexpr Duration kAwaitStep{20'000};
constexpr Duration kJobTick{1'000'000};
constexpr Duration kWorkTakes{40'000};
const std::string kJob = "portraits";

}  // namespace

Task<WithdrawalTold> FinanceNode::withdraw(WithdrawalRequest request) {
  bool mayBeReserved = false;
  try {
    auto carrying = carryOut(request, mayBeReserved);
    auto told = co_await carrying;
    co_return told;
  } catch (const db::Error&) {
    const auto word =
        mayBeReserved ? WithdrawalTold::Word::unknown : WithdrawalTold::Word::unavailable;
    co_return WithdrawalTold{word, std::nullopt};
  }
}

Task<WithdrawalTold> FinanceNode::carryOut(WithdrawalRequest request, bool& mayBeReserved) {
  const WithdrawalFlow flow(request);
  auto step = flow.start();
  for (;;) {
    if (const auto* answer = std::get_if<WithdrawalFlow::Answer>(&step)) {
      if (answer->result) co_return WithdrawalTold{WithdrawalTold::Word::stands, *answer->result};
      const bool conflict = answer->result.error().code == ErrorCode::trace_id_conflict;
      co_return WithdrawalTold{
          conflict ? WithdrawalTold::Word::conflict : WithdrawalTold::Word::insufficient,
          std::nullopt};
    }
    if (std::holds_alternative<WithdrawalFlow::Reserve>(step)) {
      auto reserving = reserve(request);
      const Reservation reserved = co_await reserving;
      mayBeReserved =
          mayBeReserved || reserved.how == Reserved::done || reserved.how == Reserved::lost;
      switch (reserved.how) {
        case Reserved::done:
          step = flow.onReserved(reserved.withdrawal);
          break;
        case Reserved::insufficient:
          step = flow.onInsufficient();
          break;
        case Reserved::mustRead:
        case Reserved::lost:
          step = flow.onMustRead();
          break;
      }
    } else if (std::holds_alternative<WithdrawalFlow::Read>(step)) {
      auto reading = read(request.traceId);
      const auto found = co_await reading;
      if (found) world_.coverage.add(Met::withdrawalRepeated);
      step = flow.onRead(found);
    } else if (const auto* asked = std::get_if<WithdrawalFlow::Pay>(&step)) {
      const Withdrawal withdrawal = asked->withdrawal;
      auto paying = pay(withdrawal);
      const PayoutResult result = co_await paying;
      step = flow.onPayout(withdrawal, result);
    } else if (const auto* end = std::get_if<WithdrawalFlow::Finish>(&step)) {
      auto finishing = finish(end->withdrawal, end->state);
      const Withdrawal settled = co_await finishing;
      step = flow.onSettled(settled);
    } else {
      world_.coverage.add(Met::withdrawalAwaited);
      auto awaiting = awaitOther(std::get<WithdrawalFlow::AwaitOther>(step).withdrawal);
      const Withdrawal settled = co_await awaiting;
      step = flow.onSettled(settled);
    }
  }
}

Task<Withdrawal> FinanceNode::reserveOnce(Connection& connection, WithdrawalRequest request,
                                          bool& insufficient) {
  const Time at = now();
  const auto mutant = world_.mutant;
  const bool unique = mutant != Mutant::withdrawalTraceNotUnique;
  auto inserting = [&db = world_.db2, request, at, unique](const Txn& txn) {
    return store::insertWithdrawal(db, txn, request, at, unique);
  };
  auto running = connection.run(Mode::begin, std::move(inserting));
  const Withdrawal made = co_await running;
  if (mutant == Mutant::withdrawalUnguarded) {
    auto looking = [&db = world_.db2, anchor = request.anchor](const Txn& txn) {
      return store::available(db, txn, anchor);
    };
    auto reading = connection.run(Mode::inside, std::move(looking), false);
    const auto available = co_await reading;
    insufficient = !available || *available < request.amount;
    if (!insufficient) {
      auto adding = [&db = world_.db2, request](const Txn& txn) {
        store::addReserved(db, txn, request.anchor, request.amount);
        return true;
      };
      auto writing = connection.run(Mode::inside, std::move(adding));
      co_await writing;
    }
  } else {
    auto reserving = [&db = world_.db2, request](const Txn& txn) {
      return store::reserve(db, txn, request.anchor, request.amount);
    };
    auto writing = connection.run(Mode::inside, std::move(reserving));
    const bool enough = co_await writing;
    insufficient = !enough;
  }
  if (insufficient) co_return made;
  if (mutant == Mutant::payBeforeCommit) {
    auto paying = pay(made);
    co_await paying;
  }
  auto committing = connection.commit();
  co_await committing;
  co_return made;
}

Task<FinanceNode::Reservation> FinanceNode::reserve(WithdrawalRequest request) {
  for (int attempt = 1;; ++attempt) {
    std::unique_ptr<Connection> connection;
    Reservation result;
    bool rolledBack = false;
    bool refused = false;
    bool lost = false;
    try {
      auto taking = take();
      connection = co_await taking;
      bool insufficient = false;
      auto reserving = reserveOnce(*connection, request, insufficient);
      result.withdrawal = co_await reserving;
      result.how = insufficient ? Reserved::insufficient : Reserved::done;
    } catch (const db::DuplicateKey&) {
      result.how = Reserved::mustRead;
    } catch (const db::RolledBack&) {
      rolledBack = true;
    } catch (const db::ConnectionLost&) {
      lost = true;
      world_.coverage.add(Met::reserveLost);
      result.how = Reserved::lost;
    } catch (const db::Error&) {
      refused = true;
    }
    if (connection && !lost) {
      connection->rollback();
      putBack(std::move(connection));
    }
    if (refused) throw db::Unavailable(0, "DB2 does not take it");
    if (!rolledBack) co_return result;
    if (attempt >= kAttempts) throw db::RolledBack(0, "rolled back too often");
    auto pause = sleep(process_, Duration{kUsPerMs << attempt});
    co_await pause;
  }
}

Task<std::optional<Withdrawal>> FinanceNode::read(TraceId traceId) {
  auto taking = take();
  auto connection = co_await taking;
  auto statement = [&db = world_.db2, traceId](const Txn& txn) {
    return store::withdrawalByTrace(db, txn, traceId);
  };
  auto running = connection->read(std::move(statement));
  auto found = co_await running;
  putBack(std::move(connection));
  co_return found;
}

Task<PayoutResult> FinanceNode::pay(Withdrawal withdrawal) {
  WithdrawalId key = withdrawal.id;
  if (world_.mutant == Mutant::payoutUnderNewKey) {
    // A fresh key for each try, which the provider cannot know to be the same payout.
    const auto& payouts = world_.provider.payouts();
    if (payouts.contains(key)) key = WithdrawalId{key.value + 1'000'000 + now().us};
  }
  auto paying = world_.provider.pay(process_, key, withdrawal.amount);
  PayoutResult result = co_await paying;
  if (result == PayoutResult::unknown) {
    world_.coverage.add(Met::payoutTimedOut);
    if (world_.mutant == Mutant::timeoutTakenForRejected) result = PayoutResult::rejected;
  }
  co_return result;
}

Task<Withdrawal> FinanceNode::finish(Withdrawal withdrawal, WithdrawalState state) {
  const bool guarded = world_.mutant != Mutant::finishUnguarded;
  for (int attempt = 1;; ++attempt) {
    std::unique_ptr<Connection> connection;
    bool rolledBack = false;
    try {
      auto taking = take();
      connection = co_await taking;
      auto changing = [&db = world_.db2, id = withdrawal.id, state, guarded](const Txn& txn) {
        return store::finishWithdrawal(db, txn, id, state, guarded);
      };
      auto running = connection->run(Mode::begin, std::move(changing));
      const auto finished = co_await running;
      if (finished.changed) {
        auto moving = [&db = world_.db2, row = finished.withdrawal, guarded](const Txn& txn) {
          store::moveReserved(db, txn, row, guarded);
          return true;
        };
        auto writing = connection->run(Mode::inside, std::move(moving));
        co_await writing;
      }
      auto committing = connection->commit();
      co_await committing;
      world_.coverage.add(state == WithdrawalState::paid ? Met::withdrawalPaid
                                                         : Met::withdrawalRejected);
      putBack(std::move(connection));
      co_return finished.withdrawal;
    } catch (const db::RolledBack&) {
      rolledBack = attempt < kAttempts;
      if (!rolledBack) throw;
    } catch (const BrokenInvariant& broken) {
      world_.auditor.report("I9", broken.what());
      throw db::Error(0, broken.what());
    }
    connection->rollback();
    putBack(std::move(connection));
    auto pause = sleep(process_, Duration{kUsPerMs << attempt});
    co_await pause;
  }
}

Task<Withdrawal> FinanceNode::awaitOther(Withdrawal withdrawal) {
  const Time giveUp = now() + world_.settings.providerTimeout + Duration{kUsPerSecond};
  while (now() < giveUp) {
    auto reading = read(withdrawal.traceId);
    const auto found = co_await reading;
    if (found && found->state != WithdrawalState::pending) co_return *found;
    auto pause = sleep(process_, kAwaitStep);
    co_await pause;
  }
  co_return withdrawal;
}

Task<> FinanceNode::finishPending() {
  for (;;) {
    try {
      auto finishing = finishPendingOnce();
      co_await finishing;
    } catch (const db::Error&) {
      // The next round tries again.
    }
    auto pause = sleep(process_, kJobTick);
    co_await pause;
  }
}

Task<> FinanceNode::finishPendingOnce() {
  const Time before = now() - world_.settings.providerTimeout - Duration{kUsPerSecond};
  auto taking = take();
  auto connection = co_await taking;
  auto statement = [&db = world_.db2, before](const Txn& txn) {
    return store::pending(db, txn, before);
  };
  auto running = connection->read(std::move(statement));
  const auto waiting = co_await running;
  putBack(std::move(connection));
  for (const auto& withdrawal : waiting) {
    auto paying = pay(withdrawal);
    const PayoutResult result = co_await paying;
    if (result == PayoutResult::unknown) continue;
    const auto state =
        result == PayoutResult::paid ? WithdrawalState::paid : WithdrawalState::rejected;
    auto finishing = finish(withdrawal, state);
    co_await finishing;
    world_.coverage.add(Met::pendingFinished);
  }
}

// A job under a lease -----------------------------------------------------------------------------

Task<> FinanceNode::runJob() {
  schedule::Lease lease({world_.settings.jobLease, world_.settings.jobLease / 4});
  for (;;) {
    auto action = lease.next(now());
    if (!std::holds_alternative<schedule::Lease::WaitUntil>(action)) {
      auto stepping = stepLease(lease, action);
      co_await stepping;
    } else if (lease.held(now())) {
      auto working = workUnderLease(lease);
      co_await working;
    }
    auto pause = sleep(process_, world_.settings.jobLease / 5);
    co_await pause;
  }
}

Task<> FinanceNode::stepLease(schedule::Lease& lease, schedule::Lease::Action action) {
  const Time asked = now();
  try {
    auto taking = take();
    auto connection = co_await taking;
    const auto length = world_.settings.jobLease;
    const auto* renewal = std::get_if<schedule::Lease::Renew>(&action);
    const auto epoch = renewal == nullptr ? schedule::Epoch{0} : renewal->epoch;
    auto statement = [&db = world_.db2, holder = process_->name(), length, epoch](const Txn& txn) {
      const auto* stands = db.leases.lock(txn, kJob);
      const auto row = stands == nullptr ? std::nullopt : std::optional(*stands);
      const auto next = epoch == 0 ? schedule::taken(row, holder, txn.now, length)
                                   : schedule::renewed(row, epoch, txn.now, length);
      if (next) db.leases.put(txn, kJob, *next);
      const bool over = next && row && row->holder != holder;
      return std::pair(next ? next->epoch : schedule::Epoch{0}, over);
    };
    auto running = connection->run(Mode::alone, std::move(statement));
    const auto granted = co_await running;
    putBack(std::move(connection));
    if (granted.first == 0) {
      lease.onLost(now());
    } else if (epoch == 0) {
      world_.coverage.add(granted.second ? Met::leaseTakenOver : Met::leaseTaken);
      lease.onAcquired(granted.first, asked);
    } else {
      world_.coverage.add(Met::leaseRenewed);
      lease.onRenewed(asked);
    }
  } catch (const db::Error&) {
    lease.onFailed(now());
  }
}

Task<> FinanceNode::workUnderLease(schedule::Lease& lease) {
  const auto epoch = lease.epoch();
  // What it reads now it writes later: in between the lease may be another's.
  auto work = sleep(process_, kWorkTakes);
  co_await work;
  try {
    auto taking = take();
    auto connection = co_await taking;
    const auto mutant = world_.mutant;
    if (mutant == Mutant::fencingOutsideTransaction) {
      auto checking = [&db = world_.db2, epoch](const Txn& txn) {
        const auto* row = db.leases.find(txn, kJob);
        return row != nullptr && row->epoch == epoch;
      };
      auto reading = connection->read(std::move(checking));
      const bool mine = co_await reading;
      if (!mine) {
        putBack(std::move(connection));
        lease.onLost(now());
        co_return;
      }
    }
    const bool fenced = mutant != Mutant::noFencing && mutant != Mutant::fencingOutsideTransaction;
    auto statement = [&db = world_.db2, holder = process_->name(), epoch, fenced](const Txn& txn) {
      if (fenced) {
        const auto* row = db.leases.lock(txn, kJob, true);
        if (!schedule::mayWrite(row == nullptr ? std::nullopt : std::optional(*row), epoch)) {
          return false;
        }
      }
      const auto* stands = db.jobs.lock(txn, kJob);
      db.jobs.put(txn, kJob, {holder, epoch, stands == nullptr ? 1 : stands->runs + 1});
      return true;
    };
    auto running = connection->run(Mode::alone, std::move(statement));
    const bool written = co_await running;
    putBack(std::move(connection));
    if (!written) {
      world_.coverage.add(Met::leaseFencedOff);
      lease.onLost(now());
    }
  } catch (const db::Error&) {
    // Not known, or not done: the job's next run goes on from what stands.
  }
}

}  // namespace tipflow::sim
