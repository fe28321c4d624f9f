#include "plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "scheduler.h"

namespace tipflow::sim {
namespace {

constexpr std::int64_t kMs = 1'000;

Settings settingsOf(Stream& random) {
  Settings s;
  s.audienceNodes = static_cast<int>(random.between(1, 3));
  s.lanes = static_cast<int>(random.between(1, 2));
  s.financeNodes = static_cast<int>(random.between(1, 2));
  s.anchors = static_cast<int>(random.between(1, 3));
  s.lane.batch = static_cast<std::size_t>(random.chance(300) ? 100 : random.between(1, 6));
  s.lane.queue = static_cast<std::size_t>(random.chance(700) ? 1'000 : random.between(1, 5));
  s.lane.recent = static_cast<std::size_t>(random.chance(400) ? 0 : random.between(1, 50));
  s.lane.wait = Duration{random.between(1'500, 5'000) * kMs};
  s.pusher.batch = static_cast<std::size_t>(random.chance(300) ? 2'000 : random.between(1, 8));
  s.pusher.tail = static_cast<std::size_t>(random.chance(500) ? 50'000 : random.between(0, 5));
  s.laneLease = Duration{random.between(2'000, 10'000) * kMs};
  s.jobLease = Duration{random.between(500, 4'000) * kMs};
  s.providerTimeout = Duration{random.between(300, 2'000) * kMs};
  // Longer than a lock is waited for, as in the product: who gives up sooner leaves transactions
  // behind that hold locks and wait, and each new try adds one.
  s.financeAnswer = Duration{random.between(6'000, 20'000) * kMs};
  s.latency = Duration{random.chance(200) ? random.between(1'000, 50'000) : 200};
  s.commitTime = Duration{random.chance(200) ? random.between(2'000, 200'000) : 500};
  return s;
}

class Drawer {
 public:
  Drawer(Stream& random, const Settings& settings)
      : random_(random), settings_(settings), span_(random.between(500, 12'000) * kMs) {}

  std::vector<Op> ops() {
    tips();
    withdrawals();
    for (auto i = random_.between(0, 3); i > 0; --i) rate();
    if (random_.chance(300)) rooms();
    for (auto i = random_.between(0, 2); i > 0; --i) add({anyTime(), OpKind::audit});
    if (!random_.chance(100)) {
      for (auto i = random_.between(1, 12); i > 0; --i) fault();
    }
    std::stable_sort(ops_.begin(), ops_.end(),
                     [](const Op& a, const Op& b) { return a.at < b.at; });
    return std::move(ops_);
  }

 private:
  Time anyTime() { return Time{random_.between(0, span_)}; }
  void add(Op op) { ops_.push_back(op); }
  int node() { return static_cast<int>(random_.between(0, settings_.audienceNodes - 1)); }
  int financeNode() { return static_cast<int>(random_.between(0, settings_.financeNodes - 1)); }
  int database() { return static_cast<int>(random_.between(1, 2)); }

  void tips() {
    const auto count = random_.between(1, 60);
    for (int trace = 0; trace < count; ++trace) {
      Op op{anyTime(), OpKind::tip, node(), trace};
      op.insists = random_.chance(600);
      add(op);
      // The same traceId once more: at once or later, through any node, also with other content.
      while (random_.chance(250)) {
        Op again = op;
        again.target = node();
        again.at = random_.chance(500) ? Time{op.at.us + random_.between(0, 3'000)}
                                       : Time{op.at.us + random_.between(0, span_)};
        again.content = random_.chance(300) ? static_cast<int>(random_.between(1, 5)) : 0;
        again.insists = random_.chance(300);
        add(again);
      }
    }
    // Many at once, so that batches form.
    if (!random_.chance(400)) return;
    const Time moment = anyTime();
    const auto many = static_cast<int>(random_.between(5, 40));
    for (int i = 0; i < many; ++i) {
      Op op{Time{moment.us + random_.between(0, 2'000)}, OpKind::tip, node(),
            static_cast<int>(count) + i};
      op.insists = random_.chance(500);
      add(op);
      if (random_.chance(200)) add(op);
    }
    // All of them again through another node, in another order: two statements with many keys in
    // common.
    if (!random_.chance(400)) return;
    const int other = node();
    for (int i = many - 1; i >= 0; --i) {
      add({Time{moment.us + random_.between(0, 3'000)}, OpKind::tip, other,
           static_cast<int>(count) + i});
    }
  }

  void withdrawals() {
    const auto count = random_.between(0, 6);
    for (int trace = 0; trace < count; ++trace) {
      Op op{Time{anyTime().us + 200 * kMs}, OpKind::withdraw,
            static_cast<int>(random_.between(1, settings_.anchors)), trace};
      op.amount = random_.chance(300) ? random_.between(1, 40) : random_.between(50, 2'000);
      op.insists = random_.chance(700);
      add(op);
      while (random_.chance(350)) {
        Op again = op;
        again.at = Time{op.at.us + (random_.chance(600) ? random_.between(0, 4'000)
                                                        : random_.between(0, span_))};
        if (random_.chance(200)) ++again.amount;
        add(again);
      }
      // Another one at the same moment, for what is left.
      if (random_.chance(300)) {
        Op other = op;
        other.trace = trace + 100;
        other.at = Time{op.at.us + random_.between(0, 1'000)};
        add(other);
      }
    }
  }

  void rate() {
    Op op{anyTime(), OpKind::setRate, static_cast<int>(random_.between(0, settings_.anchors))};
    op.amount = random_.between(0, 10'000);
    op.extra = random_.chance(500) ? 0 : random_.between(-4'000, 4'000);
    add(op);
  }

  void rooms() {
    const auto anchor = static_cast<int>(random_.between(1, settings_.anchors));
    const Time closed = anyTime();
    Op op{closed, OpKind::room, anchor};
    op.amount = random_.between(0, 2);
    add(op);
    op.at = Time{closed.us + random_.between(0, 3'000) * kMs};
    op.amount = 1;
    add(op);
  }

  void fault() {
    Op op{anyTime()};
    switch (random_.between(0, 14)) {
      case 0:
      case 1:
        op.kind = OpKind::crashAudience, op.target = node(), op.extra = random_.between(1, 12);
        break;
      case 2:
        op.kind = OpKind::crashFinance, op.target = financeNode(),
        op.extra = random_.between(1, 20);
        break;
      case 3:
        op.kind = random_.chance(500) ? OpKind::freezeAudience : OpKind::freezeFinance;
        op.target = op.kind == OpKind::freezeAudience ? node() : financeNode();
        op.extra = random_.between(10, 12'000);
        break;
      case 4:
        op.kind = random_.chance(700) ? OpKind::clockAudience : OpKind::clockFinance;
        op.target = op.kind == OpKind::clockAudience ? node() : financeNode();
        op.extra =
            random_.chance(500) ? random_.between(-15'000, 15'000) : random_.between(-1'500, 1'500);
        break;
      case 5:
      case 6:
      case 7:
        op.kind = OpKind::cut, op.target = database(), op.extra = random_.between(1, 12);
        break;
      case 8:
      case 9:
        op.kind = OpKind::delay, op.target = database();
        break;
      case 10:
        op.kind = OpKind::down, op.target = database();
        op.extra = random_.chance(500) ? random_.between(1, 300) : random_.between(300, 8'000);
        break;
      case 11:
        op.kind = random_.chance(700) ? OpKind::rollBack : OpKind::refuse;
        op.target = database(), op.extra = random_.between(1, 7);
        break;
      case 12:
        op.kind = OpKind::slow, op.target = database(), op.extra = random_.between(500, 8'000);
        break;
      case 13:
        op.kind = OpKind::badNetwork, op.extra = random_.between(200, 6'000);
        break;
      case 14:
        op.kind = OpKind::provider, op.amount = random_.between(0, 3);
        op.extra = random_.between(200, 6'000);
        break;
    }
    add(op);
  }

  Stream& random_;
  const Settings& settings_;
  std::int64_t span_;
  std::vector<Op> ops_;
};

const char* nameOf(OpKind kind) {
  switch (kind) {
    case OpKind::tip:
      return "tip";
    case OpKind::withdraw:
      return "withdraw";
    case OpKind::setRate:
      return "set rate";
    case OpKind::room:
      return "room";
    case OpKind::audit:
      return "audit";
    case OpKind::crashAudience:
      return "crash audience";
    case OpKind::crashFinance:
      return "crash finance";
    case OpKind::freezeAudience:
      return "freeze audience";
    case OpKind::freezeFinance:
      return "freeze finance";
    case OpKind::clockAudience:
      return "clock of audience";
    case OpKind::clockFinance:
      return "clock of finance";
    case OpKind::cut:
      return "cut a connection of DB";
    case OpKind::delay:
      return "delay a statement of DB";
    case OpKind::down:
      return "restart DB";
    case OpKind::rollBack:
      return "roll back at DB";
    case OpKind::refuse:
      return "refuse at DB";
    case OpKind::slow:
      return "slow DB";
    case OpKind::badNetwork:
      return "bad network";
    case OpKind::provider:
      return "provider";
  }
  return "?";
}

}  // namespace

Plan planOf(std::uint64_t seed) {
  Stream random(seed * 0x2545F4914F6CDD1DULL + 1);
  Plan plan;
  plan.seed = seed;
  plan.settings = settingsOf(random);
  plan.ops = Drawer(random, plan.settings).ops();
  return plan;
}

std::string shown(const Settings& s) {
  return fmt::format(
      "{} audience nodes of {} lanes (batch {}, queue {}, recent {}), {} finance nodes (batch {}, "
      "tail {}), {} anchors",
      s.audienceNodes, s.lanes, s.lane.batch, s.lane.queue, s.lane.recent, s.financeNodes,
      s.pusher.batch, s.pusher.tail, s.anchors);
}

std::string shown(const Op& op) {
  auto text = fmt::format("{:>10.6f}  {} {}", static_cast<double>(op.at.us) / 1e6, nameOf(op.kind),
                          op.target);
  if (op.kind == OpKind::tip || op.kind == OpKind::withdraw) {
    text += fmt::format(", trace {}", op.trace);
  }
  if (op.content != 0) text += fmt::format(", altered ({})", op.content);
  if (op.amount != 0) text += fmt::format(", amount {}", op.amount);
  if (op.extra != 0) text += fmt::format(", extra {}", op.extra);
  if (op.insists) text += ", insists";
  return text;
}

}  // namespace tipflow::sim
