#include "run.h"

#include <fmt/format.h>

#include "audience_node.h"
#include "clients.h"
#include "finance_node.h"

namespace tipflow::sim {
namespace {

// After the last fault everything drains within this. It holds the longest clock jump (15 s), the
// longest wait for an answer (20 s) and a round of the keeper that looks at all lanes (30 s).
constexpr Duration kDrainBound{120'000'000};
constexpr Duration kLook{250'000};
constexpr std::uint64_t kMostSteps = 400'000;

class Run {
 public:
  Run(const Plan& plan, Mutant mutant, const Blind& blind, std::size_t traceLines)
      : world_(plan, mutant, blind), clients_(world_), faults_(plan.seed + 77) {
    if (traceLines > 0) world_.scheduler.traceFrom(traceLines);
  }

  RunResult go() {
    const Time start = world_.scheduler.now();
    Time last = start;
    for (const auto& op : world_.plan.ops) {
      last = start + Duration{op.at.us};
      world_.scheduler.at(last, [this, &op] { perform(op); });
    }
    world_.startNodes();
    steps([&] { return world_.scheduler.now() <= last; });
    const Time heal = last + Duration{kUsPerMs};
    world_.scheduler.at(heal, [this] { this->heal(); });
    steps([&] { return !world_.faultsOver; });
    drain();
    RunResult result;
    result.violation = world_.auditor.violation();
    result.hash = world_.scheduler.hash();
    result.steps = world_.scheduler.steps();
    result.coverage = world_.coverage;
    result.trace.assign(world_.scheduler.trace().begin(), world_.scheduler.trace().end());
    return result;
  }

 private:
  template <class Condition>
  void steps(Condition goesOn) {
    while (!world_.auditor.violation() && goesOn() && world_.scheduler.step()) {
      if (world_.scheduler.steps() > kMostSteps) {
        world_.auditor.report("liveness", "the run does not come to an end");
        return;
      }
    }
  }

  void heal() {
    world_.faultsOver = true;
    world_.badNetwork = false;
    world_.provider.mood = Provider::Mood::prompt;
    for (auto* server : {&world_.db1.server, &world_.db2.server}) {
      server->cutAfterPoints = server->rollBackNext = server->refuseNext = server->delayNext = 0;
      server->weather.slowPermille = 0;
    }
    for (auto& slot : world_.audience) end(slot);
    for (auto& slot : world_.finance) end(slot);
    world_.scheduler.note(8, 0, [] { return "== the faults are over"; });
  }
  template <class Node>
  static void end(Slot<Node>& slot) {
    slot.clockOffset = Duration{0};
    if (slot.process) slot.process->crashAfterPoints = 0;
  }

  void drain() {
    const Time bound = world_.scheduler.now() + kDrainBound;
    Time look = world_.scheduler.now();
    bool done = false;
    steps([&] {
      if (world_.scheduler.now() < look) return true;
      look = world_.scheduler.now() + kLook;
      done = clients_.waiting() == 0 && world_.auditor.drained() &&
             world_.db1.server.orphans() + world_.db2.server.orphans() == 0;
      return !done && world_.scheduler.now() < bound;
    });
    if (world_.auditor.violation()) return;
    // Books first: they say what is wrong where liveness only says that something is.
    world_.auditor.auditBooks(payouts());
    world_.auditor.auditOutcomes();
    if (!done) {
      world_.auditor.report(
          "liveness", fmt::format("not drained {} s after the last fault: {}; {} clients wait",
                                  kDrainBound.count() / kUsPerSecond, world_.auditor.whatIsLeft(),
                                  clients_.waiting()));
    }
  }

  [[nodiscard]] std::vector<audit::PayoutRow> payouts() const {
    std::vector<audit::PayoutRow> rows;
    for (const auto& [key, payout] : world_.provider.payouts()) {
      rows.push_back({key.value, payout.amount.value, payout.paid});
    }
    return rows;
  }

  Server& database(const Op& op) { return op.target == 1 ? world_.db1.server : world_.db2.server; }
  [[nodiscard]] static Duration ms(std::int64_t extra) { return Duration{extra * kUsPerMs}; }

  template <class Node>
  void crash(Slot<Node>& slot, std::int64_t points, Met met) {
    if (!slot.alive()) return;
    world_.coverage.add(met);
    slot.process->crashAfterPoints = static_cast<int>(points);
    // A process that does nothing passes no points.
    world_.scheduler.after(ms(faults_.between(1, 400)), [process = slot.process] {
      if (process->alive() && process->crashAfterPoints > 0) process->kill();
    });
  }
  template <class Node>
  void freeze(Slot<Node>& slot, std::int64_t extra) {
    if (!slot.alive()) return;
    world_.coverage.add(Met::freeze);
    slot.process->freezeUntil(world_.scheduler.now() + ms(extra));
  }
  void slow(Server& server, std::int64_t extra) {
    server.weather.slowPermille = 250;
    world_.scheduler.after(ms(extra), [&server] { server.weather.slowPermille = 0; });
  }

  void perform(const Op& op) {
    world_.scheduler.note(static_cast<std::uint64_t>(op.kind),
                          static_cast<std::uint64_t>(op.target), [&] { return "-> " + shown(op); });
    const auto node = static_cast<std::size_t>(op.target);
    switch (op.kind) {
      case OpKind::tip:
        return clients_.tip(op);
      case OpKind::withdraw:
        return clients_.withdraw(op);
      case OpKind::setRate:
        return clients_.setRate(op);
      case OpKind::room:
        return setRoom(op);
      case OpKind::audit: {
        world_.coverage.add(Met::auditMidTraffic);
        return world_.scheduler.after(ms(faults_.between(0, 300)),
                                      world_.auditor.auditWithTipsLater(payouts()));
      }
      case OpKind::crashAudience:
        return crash(world_.audience[node], op.extra, Met::audienceCrash);
      case OpKind::crashFinance:
        return crash(world_.finance[node], op.extra, Met::financeCrash);
      case OpKind::freezeAudience:
        return freeze(world_.audience[node], op.extra);
      case OpKind::freezeFinance:
        return freeze(world_.finance[node], op.extra);
      case OpKind::clockAudience:
        world_.coverage.add(Met::clockJump);
        world_.audience[node].clockOffset = ms(op.extra);
        return;
      case OpKind::clockFinance:
        world_.coverage.add(Met::clockJump);
        world_.finance[node].clockOffset = ms(op.extra);
        return;
      case OpKind::cut:
        database(op).cutAfterPoints = static_cast<int>(op.extra);
        return;
      case OpKind::delay:
        database(op).delayNext = 1;
        return;
      case OpKind::down:
        return database(op).crash(ms(op.extra));
      case OpKind::rollBack:
        database(op).rollBackNext = static_cast<int>(op.extra);
        return;
      case OpKind::refuse:
        database(op).refuseNext = static_cast<int>(op.extra);
        return;
      case OpKind::slow:
        return slow(database(op), op.extra);
      case OpKind::badNetwork:
        world_.badNetwork = true;
        world_.scheduler.after(ms(op.extra), [this] { world_.badNetwork = false; });
        return;
      case OpKind::provider:
        world_.provider.mood = static_cast<Provider::Mood>(op.amount);
        world_.scheduler.after(ms(op.extra),
                               [this] { world_.provider.mood = Provider::Mood::prompt; });
        return;
    }
  }

  // The anchor role knows at once, the nodes some time later.
  void setRoom(const Op& op) {
    auto& room = world_.rooms.at(RoomId{1'000'000 + op.target});
    room.state = static_cast<anchor::RoomState>(op.amount);
    for (auto& slot : world_.audience) {
      world_.scheduler.after(ms(faults_.between(0, 500)), [&slot, card = room] {
        if (slot.node) slot.node->onRoom(card);
      });
    }
  }

  World world_;
  Clients clients_;
  Stream faults_;
};

}  // namespace

RunResult run(const Plan& plan, Mutant mutant, const Blind& blind, std::size_t traceLines) {
  return Run(plan, mutant, blind, traceLines).go();
}

// Leaves out halves, quarters, … of the operations as long as the same invariant still breaks.
Plan shrunk(const Plan& plan, Mutant mutant, const Blind& blind, const std::string& invariant) {
  Plan best = plan;
  const auto stillBreaks = [&](const Plan& candidate) {
    const auto result = run(candidate, mutant, blind);
    return result.violation && result.violation->invariant == invariant;
  };
  for (auto size = std::max<std::size_t>(1, best.ops.size() / 2);;) {
    bool smaller = false;
    for (std::size_t from = 0; from < best.ops.size();) {
      Plan candidate = best;
      const auto begin = candidate.ops.begin() + static_cast<std::ptrdiff_t>(from);
      const auto count = std::min(size, best.ops.size() - from);
      candidate.ops.erase(begin, begin + static_cast<std::ptrdiff_t>(count));
      if (stillBreaks(candidate)) {
        best = std::move(candidate);
        smaller = true;
      } else {
        from += size;
      }
    }
    if (size > 1) {
      size = (size + 1) / 2;
    } else if (!smaller) {
      return best;
    }
  }
}

}  // namespace tipflow::sim
