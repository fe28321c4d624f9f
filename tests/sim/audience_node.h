// One life of an audience node: the product's lanes and pushers, and thin mirrors of what drives
// them (audience/lane_driver, sync_driver and tips).
#pragma once

#include <map>
#include <memory>
#include <set>
#include <vector>

#include "audience/lane.h"
#include "audience/pusher.h"
#include "finance/ledger.h"
#include "stores.h"
#include "world.h"

namespace tipflow::sim {

struct TipTold {
  audit::Told told = audit::Told::unknown;
  TipId id;
};

/// Runs one Lane on a connection of its own, as audience/lane_driver does.
class LaneHost {
 public:
  LaneHost(World& world, const Slot<AudienceNode>& slot, std::shared_ptr<Process> process,
           std::string processName);
  Task<> run();
  Task<audience::TipAnswer> write(audience::Tip tip);
  std::function<void(LaneId, const std::vector<NumberedTip>&)> onCommitted;

 private:
  struct Incoming {
    audience::Ticket ticket;
    audience::Tip tip;
    Time since;  // when it was asked: the client's wait counts from then
  };
  struct Waiting {
    std::shared_ptr<Cell<audience::TipAnswer>> cell;
    audience::Tip tip;
  };
  [[nodiscard]] Time now() const { return world_.scheduler.now() + slot_.clockOffset; }
  Task<> openLane();
  Task<> closeLanes();
  Task<> drive();
  Task<bool> perform(audience::Lane::Action action);
  Task<> insert(std::vector<NumberedTip> rows);
  Task<> nap();
  void takeIncoming();
  void deliver();
  void setHealthy(bool healthy);
  void give(const audience::TipAnswer& answer);
  void onLost(bool inserting);
  void acknowledge(const std::vector<NumberedTip>& rows);
  [[nodiscard]] bool isAsked(const TraceId& traceId) const;
  [[nodiscard]] audience::Tip asked(const TraceId& traceId) const;

  World& world_;
  const Slot<AudienceNode>& slot_;
  std::shared_ptr<Process> process_;
  std::string processName_;
  std::unique_ptr<audience::Lane> lane_;
  std::unique_ptr<Connection> connection_;
  std::vector<LaneId> unclosed_;
  std::vector<Incoming> incoming_;
  std::set<TraceId> uncertain_;
  std::map<audience::Ticket, Waiting> waiting_;
  std::shared_ptr<Cell<bool>> wake_;
  audience::Ticket tickets_ = 0;
  std::size_t queued_ = 0;
  bool healthy_ = false;
  int rolledBack_ = 0;
};

class AudienceNode {
 public:
  AudienceNode(World& world, Slot<AudienceNode>& slot);
  void start();
  /// One request, as audience/tips answers it.
  Task<TipTold> give(TraceId traceId, audit::TipContent content);
  void onRoom(const anchor::RoomCard& room) { rooms_[room.id] = room; }

 private:
  struct Worker {
    explicit Worker(LaneId lane, audience::PusherLimits limits) : pusher(lane, limits) {}
    audience::Pusher pusher;
    std::unique_ptr<Connection> db1;
    std::shared_ptr<Cell<bool>> wake;
  };

  [[nodiscard]] Time now() const { return world_.scheduler.now() + slot_.clockOffset; }
  Task<std::optional<NumberedTip>> lookUp(TraceId traceId);
  Task<> onTipsCommitted(LaneId lane, std::vector<finance::LedgerTip> tips);
  Task<> work(Worker& worker);
  /// Carries out one action; the time until which there is nothing to do, if there is not.
  Task<std::optional<Time>> step(Worker& worker);
  Task<> keep();
  Task<> adopt();
  Task<> pushAll(LaneId lane);
  Task<> lookAgain();
  Task<LaneSeq> cursor(LaneId lane);
  Task<finance::BatchAnswer> apply(finance::LedgerBatch batch);
  Task<LaneSeq> lastSeq(LaneId lane);
  Task<std::vector<finance::LedgerTip>> load(Connection& connection, LaneId lane, LaneSeq after,
                                             std::size_t limit);
  Task<std::unique_ptr<Connection>> connect();
  /// Planted (autoIncrementCursor): all lanes by one cursor over AUTO_INCREMENT ids.
  Task<> pushByAutoId();
  void count(const finance::BatchAnswer& answer, std::size_t tips, bool adopting);

  World& world_;
  Slot<AudienceNode>& slot_;
  std::shared_ptr<Process> process_;
  std::string processName_;
  std::map<RoomId, anchor::RoomCard> rooms_;
  std::vector<std::unique_ptr<LaneHost>> lanes_;
  std::map<LaneId, std::unique_ptr<Worker>> workers_;
  std::unique_ptr<Connection> keeperDb1_;
};

}  // namespace tipflow::sim
