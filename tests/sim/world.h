// Everything of one run: the databases, the nodes, the network between them, the provider, and the
// auditor that watches.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "anchor/client.h"
#include "audit/outcomes.h"
#include "auditor.h"
#include "coverage.h"
#include "mutants.h"
#include "plan.h"
#include "tables.h"

namespace tipflow::sim {

class AudienceNode;
class FinanceNode;
class World;

/// A place for a node: what stays the same over its lives.
template <class Node>
struct Slot {
  std::string name;
  int lives = 0;
  Duration clockOffset{0};
  std::shared_ptr<Process> process;
  std::unique_ptr<Node> node;
  [[nodiscard]] bool alive() const { return process && process->alive(); }
};

/// What came of a call to another node.
template <class Reply>
struct Heard {
  bool refused = false;        ///< nobody was there
  bool twice = false;          ///< the network made two requests of it; of one nothing is heard
  std::optional<Reply> reply;  ///< none: nothing is known
};

/// The payment provider: slow, silent, called twice; it pays once a key.
class Provider {
 public:
  enum class Mood { prompt, slow, silent, rejects };
  explicit Provider(World& world) : world_(world) {}
  Mood mood = Mood::prompt;
  Task<finance::PayoutResult> pay(std::shared_ptr<Process> caller, WithdrawalId key, Fen amount);
  struct Payout {
    Fen amount;
    bool paid = false;
    int asked = 0;
  };
  [[nodiscard]] const std::map<WithdrawalId, Payout>& payouts() const { return payouts_; }

 private:
  bool decide(WithdrawalId key, Fen amount);
  World& world_;
  std::map<WithdrawalId, Payout> payouts_;
};

class World {
 public:
  World(const Plan& plan, Mutant mutant, const Blind& blind);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  const Plan& plan;
  const Settings& settings;
  const Mutant mutant;
  Scheduler scheduler;
  Coverage coverage;
  Stream random;
  Db1 db1;
  Db2 db2;
  Auditor auditor;
  Provider provider;
  std::vector<Slot<AudienceNode>> audience;
  std::vector<Slot<FinanceNode>> finance;
  /// Rooms as the anchor role has them; nodes see them some time later.
  std::map<RoomId, anchor::RoomCard> rooms;
  bool badNetwork = false;
  bool faultsOver = false;

  /// Clients, anchors and the provider: outside, and never killed.
  const std::shared_ptr<Process> outside;

  /// Sends a message: it may be late, not arrive at all, or come twice, which is told.
  bool message(std::function<void()> deliver);

  /// Asks a node and waits for its answer, for a bounded time.
  template <class Reply, class Node>
  Task<Heard<Reply>> ask(std::shared_ptr<Process> from, Slot<Node>& to,
                         std::function<Task<Reply>(Node&)> request, Duration timeout) {
    const auto heard = cellOf<Heard<Reply>>(from);
    scheduler.after(timeout, [heard] { heard->set({}); });
    const bool twice =
        message([this, &to, request = std::move(request), heard] { deliver(to, request, heard); });
    Heard<Reply> result = co_await heard->wait();
    result.twice = twice;
    co_return result;
  }

  void startNodes();

 private:
  template <class Reply, class Node>
  void deliver(Slot<Node>& to, const std::function<Task<Reply>(Node&)>& request,
               const std::shared_ptr<Cell<Heard<Reply>>>& heard) {
    if (!to.alive()) {
      scheduler.after(Duration{100}, [heard] { heard->set({true, false, std::nullopt}); });
      return;
    }
    if (to.process->frozenUntil() > scheduler.now()) {
      scheduler.at(to.process->frozenUntil(),
                   [this, &to, request, heard] { deliver(to, request, heard); });
      return;
    }
    to.process->spawn(serve(*this, *to.node, request, heard));
  }
  template <class Reply, class Node>
  static Task<> serve(World& world, Node& node, std::function<Task<Reply>(Node&)> request,
                      std::shared_ptr<Cell<Heard<Reply>>> heard) {
    auto handling = request(node);
    Reply reply = co_await handling;
    world.message([heard, reply] { heard->set({false, false, reply}); });
  }
  template <class Node>
  void start(Slot<Node>& slot);
};

}  // namespace tipflow::sim
