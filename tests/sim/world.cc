#include "world.h"

#include <fmt/format.h>

#include "audience_node.h"
#include "finance_node.h"

namespace tipflow::sim {
namespace {

constexpr int kGuard = 1;
constexpr Time kStart{1'767'225'600'000'000};  // virtual time 0 of clocks: 2026-01-01T00:00:00Z

/// Rows that are there before the first node starts.
void seedDatabase(Db2& db) {
  const Txn txn{0, {}, 0};
  db.rateGuard.put(txn, kGuard, 1);
  db.rates.put(txn, ++db.lastRate, {AnchorId{0}, {Time{}, BasisPoints{5'000}}});
  db.rateGuard.end(txn.id, true);
  db.rates.end(txn.id, true);
}

}  // namespace

World::World(const Plan& plan_, Mutant mutant_, const Blind& blind)
    : plan(plan_),
      settings(plan_.settings),
      mutant(mutant_),
      random(plan_.seed ^ 0xA5A5A5A5A5A5A5A5ULL),
      db1(scheduler, plan_.seed * 3 + 1, coverage),
      db2(scheduler, plan_.seed * 3 + 2, coverage),
      auditor(scheduler, db1, db2, blind),
      provider(*this),
      outside(std::make_shared<Process>(scheduler, "outside")) {
  scheduler.startAt(kStart);
  for (auto* server : {&db1.server, &db2.server}) {
    server->weather.latency = settings.latency;
    server->weather.commitTime = settings.commitTime;
  }
  seedDatabase(db2);
  for (int anchor = 1; anchor <= settings.anchors; ++anchor) {
    const RoomId room{1'000'000 + anchor};
    rooms[room] = {room, AnchorId{anchor}, static_cast<Gender>(anchor % 3), anchor::RoomState::live,
                   SessionId{anchor}};
  }
}

World::~World() {
  const auto end = [](auto& slots) {
    for (auto& slot : slots) {
      if (!slot.process) continue;
      slot.process->onDeath = nullptr;
      slot.process->kill();
      slot.node.reset();
    }
  };
  end(audience);
  end(finance);
  outside->kill();
}

template <class Node>
void World::start(Slot<Node>& slot) {
  if (slot.process) slot.process->onDeath = nullptr;
  slot.node.reset();
  slot.process =
      std::make_shared<Process>(scheduler, fmt::format("{}.{}", slot.name, ++slot.lives));
  slot.process->onDeath = [this, &slot] {
    scheduler.note(7, 0, [&] { return fmt::format("** {} dies", slot.process->name()); });
    slot.node.reset();
    const Duration pause{random.chance(500) ? random.between(1'000, 200'000)
                                            : random.between(200'000, 6'000'000)};
    scheduler.after(pause, [this, &slot] { start(slot); });
  };
  slot.node = std::make_unique<Node>(*this, slot);
  slot.node->start();
}

void World::startNodes() {
  audience.resize(static_cast<std::size_t>(settings.audienceNodes));
  finance.resize(static_cast<std::size_t>(settings.financeNodes));
  for (std::size_t i = 0; i < finance.size(); ++i) {
    finance[i].name = fmt::format("finance{}", i);
    start(finance[i]);
  }
  for (std::size_t i = 0; i < audience.size(); ++i) {
    audience[i].name = fmt::format("audience{}", i);
    start(audience[i]);
  }
}

bool World::message(std::function<void()> deliver) {
  Duration takes = db1.server.latency();
  bool twice = false;
  if (badNetwork) {
    if (random.chance(200)) {
      coverage.add(Met::messageDropped);
      return false;
    }
    if (random.chance(200)) {
      twice = true;
      coverage.add(Met::messageDuplicated);
      scheduler.after(Duration{random.between(1, 2'000'000)}, deliver);
    }
    if (random.chance(300)) {
      coverage.add(Met::messageLate);
      takes = Duration{random.between(1, 4'000'000)};
    }
  }
  scheduler.after(takes, std::move(deliver));
  return twice;
}

// The provider --------------------------------------------------------------------------------

Task<finance::PayoutResult> Provider::pay(std::shared_ptr<Process> caller, WithdrawalId key,
                                          Fen amount) {
  using finance::PayoutResult;
  const auto answer = cellOf<PayoutResult>(caller);
  auto& scheduler = world_.scheduler;
  scheduler.after(world_.settings.providerTimeout,
                  [answer] { answer->set(PayoutResult::unknown); });
  const bool hears = mood != Mood::silent || world_.random.chance(500);
  const bool answers = mood != Mood::silent;
  const Duration takes{mood == Mood::slow ? world_.random.between(1, 4'000'000)
                                          : world_.random.between(1'000, 60'000)};
  if (hears) {
    scheduler.after(takes, [this, &scheduler, key, amount, answer, answers] {
      const bool paid = decide(key, amount);
      if (!answers) return;
      scheduler.after(Duration{1'000}, [answer, paid] {
        answer->set(paid ? PayoutResult::paid : PayoutResult::rejected);
      });
    });
  }
  PayoutResult result = co_await answer->wait();
  co_return result;
}

bool Provider::decide(WithdrawalId key, Fen amount) {
  auto [place, isNew] = payouts_.try_emplace(key);
  auto& payout = place->second;
  if (++payout.asked == 2) world_.coverage.add(Met::payoutTwice);
  if (!isNew) return payout.paid;
  payout.amount = amount;
  payout.paid = mood != Mood::rejects || world_.random.chance(300);
  if (payout.paid) world_.auditor.moneySent(key, amount);
  return payout.paid;
}

}  // namespace tipflow::sim
