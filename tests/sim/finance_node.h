// One life of a finance node: the product's ledger receiver, withdrawal and lease cores, and thin
// mirrors of what drives them (finance/ledger_driver, service).
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "finance/ledger_receiver.h"
#include "finance/withdrawal.h"
#include "platform/schedule/lease.h"
#include "stores.h"
#include "world.h"

namespace tipflow::sim {

class FinanceNode {
 public:
  FinanceNode(World& world, Slot<FinanceNode>& slot);
  void start();

  /// nullopt when DB2 is away.
  Task<std::optional<LaneSeq>> cursor(LaneId lane);
  Task<finance::BatchAnswer> apply(finance::LedgerBatch batch);
  Task<WithdrawalTold> withdraw(finance::WithdrawalRequest request);
  /// When the rate starts; nullopt when that is not known, or it was refused.
  Task<std::optional<Time>> setRate(AnchorId anchor, BasisPoints rate, Duration fromNow);
  /// Planted (autoIncrementCursor).
  Task<bool> applyByAutoId();

 private:
  using Receiver = finance::LedgerReceiver;
  enum class Reserved { done, insufficient, mustRead, lost };
  struct Reservation {
    Reserved how = Reserved::lost;
    finance::Withdrawal withdrawal;
  };

  [[nodiscard]] Time now() const { return world_.scheduler.now() + slot_.clockOffset; }
  /// A connection of the pool. Throws db::Unavailable.
  Task<std::unique_ptr<Connection>> take();
  void putBack(std::unique_ptr<Connection> connection) { idle_.push_back(std::move(connection)); }

  Task<Receiver::Step> run(const Receiver& receiver, const finance::LedgerBatch& batch,
                           Connection& connection, Receiver::Step step);
  Task<std::int64_t> moveCursor(Connection& connection, Receiver::MoveCursor step);
  Task<finance::Terms> readTerms(Connection& connection, const finance::LedgerBatch& batch,
                                 std::vector<AnchorId> anchors);
  Task<> book(Connection& connection, const finance::LedgerBatch& batch, Receiver::Book step);

  Task<WithdrawalTold> carryOut(finance::WithdrawalRequest request, bool& mayBeReserved);
  Task<Reservation> reserve(finance::WithdrawalRequest request);
  Task<finance::Withdrawal> reserveOnce(Connection& connection, finance::WithdrawalRequest request,
                                        bool& insufficient);
  Task<std::optional<finance::Withdrawal>> read(TraceId traceId);
  Task<finance::PayoutResult> pay(finance::Withdrawal withdrawal);
  Task<finance::Withdrawal> finish(finance::Withdrawal withdrawal, finance::WithdrawalState state);
  Task<finance::Withdrawal> awaitOther(finance::Withdrawal withdrawal);
  Task<> finishPending();
  Task<> finishPendingOnce();

  Task<> runJob();
  Task<> stepLease(schedule::Lease& lease, schedule::Lease::Action action);
  Task<> workUnderLease(schedule::Lease& lease);

  World& world_;
  Slot<FinanceNode>& slot_;
  std::shared_ptr<Process> process_;
  std::vector<std::unique_ptr<Connection>> idle_;
};

}  // namespace tipflow::sim
